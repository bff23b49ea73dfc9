/**
 * A storage of one file per key in a directory.
 *
 * @module
 */
export { fileStorage } from "./storage.ts";
export type { FileStorage, FileStorageOptions } from "./storage.ts";
