/**
 * A storage in Deno KV, on a local file or on Deno Deploy.
 *
 * @module
 */
export { denokvStorage } from "./storage.ts";
export type { DenokvStorage, DenokvStorageOptions } from "./storage.ts";
export type { DenoKv, DenoKvAtomic, DenoKvEntry, DenoKvKey } from "./kv.ts";
