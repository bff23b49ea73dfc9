/**
 * Nodes that talk over NATS.
 *
 * @module
 */
export { natsCluster } from "./cluster.ts";
export type { NatsClusterOptions } from "./cluster.ts";
export type { NatsConnection, NatsMessage, NatsTarget } from "./connect.ts";
