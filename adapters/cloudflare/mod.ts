/**
 * Durable Objects of Cloudflare as a storage: for Workers, and for code that runs inside of a Durable
 * Object.
 *
 * @module
 */
export { durableObjectStorage, type DurableObjectStorageOptions } from "./storage.ts";
export { type DurableObjectStore, durableObjectStore } from "./store.ts";
export { ownStorage } from "./own.ts";
export type {
  DurableObjectContext,
  DurableObjectNamespaceLike,
  DurableObjectStorageLike,
  DurableObjectStub,
  SqlLike,
} from "./platform.ts";
