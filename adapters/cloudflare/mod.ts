/**
 * Durable Objects of Cloudflare as a storage, for Workers and for code that runs inside of a Durable
 * Object; and as hosts of objects.
 *
 * @module
 */
export { durableObjectStorage, type DurableObjectStorageOptions } from "./storage.ts";
export { type DurableObjectStore, durableObjectStore } from "./store.ts";
export {
  type DurableObjectHost,
  durableObjectHost,
  type DurableObjectHostOptions,
  type HostLimits,
} from "./host.ts";
export { type HostedObjects, hostedObjects, type HostedObjectsOptions } from "./hosted.ts";
export { ownStorage } from "./own.ts";
export type {
  DurableObjectContext,
  DurableObjectHostContext,
  DurableObjectNamespaceLike,
  DurableObjectStorageLike,
  DurableObjectStub,
  HostStorageLike,
  SqlLike,
} from "./platform.ts";
