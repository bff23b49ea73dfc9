/**
 * Nodes that talk over NATS, and a storage in its JetStream.
 *
 * @module
 */
export { natsCluster } from "./cluster.ts";
export type { NatsClusterOptions } from "./cluster.ts";
export type { NatsConnection, NatsMessage, NatsTarget } from "./connect.ts";
export { natsStorage } from "./storage.ts";
export type { NatsStorage, NatsStorageOptions } from "./storage.ts";
