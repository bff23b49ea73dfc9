/**
 * A storage in a bucket of S3, or of a server that speaks like it.
 *
 * @module
 */
export { s3Storage } from "./storage.ts";
export type { S3Storage } from "./storage.ts";
export type { S3StorageOptions } from "./options.ts";
export type { S3Probe } from "./probe.ts";
export type { S3Operation, S3Prices } from "./prices.ts";
export type { S3RequestCounts, S3RequestEvent } from "./requests.ts";
export type { S3ClientLike, S3ClientOptions, S3Credentials, S3Sdk } from "./sdk.ts";
