/**
 * A storage and a cluster in this process's memory, the references for every other one.
 *
 * @module
 */
export { memoryCluster } from "./cluster.ts";
export type { CarriedMessage, MemoryCluster, MemoryClusterOptions } from "./cluster.ts";
export { memoryStorage } from "./storage.ts";
export type { MemoryStorage } from "./storage.ts";
