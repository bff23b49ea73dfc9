/**
 * A storage in this process's memory, the reference for every other one.
 *
 * @module
 */
export { memoryStorage } from "./storage.ts";
export type { MemoryStorage } from "./storage.ts";
