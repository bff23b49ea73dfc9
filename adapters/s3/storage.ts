import { wrongArgument } from "../../src/core/options.ts";
import { encodeBase64url } from "../../src/core/base64url.ts";
import { HoldfastError, StorageUnavailableError } from "../../src/core/errors.ts";
import { checkStorageKey } from "../../src/core/key.ts";
import { checkCallOptions, checkDelete, checkList, checkPut } from "../../src/core/storage_args.ts";
import type {
  DeleteOptions,
  DeleteResult,
  ListOptions,
  PutOptions,
  PutResult,
  Storage,
  StorageCallOptions,
  Stored,
} from "../../src/ports/storage.ts";
import { decodeBody } from "./body.ts";
import { Objects } from "./objects.ts";
import { checkOptions, type S3Settings, type S3StorageOptions } from "./options.ts";
import { probe, type ProbeResult, type S3Probe } from "./probe.ts";
import { type Connected, Requests, type S3RequestCounts } from "./requests.ts";
import { importSdk, makeClient } from "./sdk.ts";
import { untilAborted } from "./wait.ts";
import { Writer } from "./writer.ts";

const MAX_NAME_LENGTH = 1024;

/** A storage in a bucket. */
export interface S3Storage extends Storage {
  /** Requests so far, and what they cost. */
  readonly requests: S3RequestCounts;
  /**
   * Finds out whether the server can be used. Call it when the application starts; otherwise the
   * first conditional write does.
   *
   * @returns What was found.
   * @throws {StorageUnavailableError} If the server does not keep to the conditions of a write, or
   * cannot be reached. The message says which.
   */
  ready(): Promise<S3Probe>;
  /** Finishes the calls it has accepted, then closes the client if the storage made it. */
  close(): Promise<void>;
}

/**
 * Makes a storage of one object per key in a bucket of S3 or of a server that speaks like it: AWS,
 * R2, Tigris, MinIO, Ceph. Needs `@aws-sdk/client-s3`. The credentials need to read, write, delete
 * and list; without the right to list, S3 calls an absent key a forbidden one.
 *
 * A server that ignores conditions would let two writers win. So the first write with a condition,
 * or `ready()`, tries that out, and refuses the server if need be. An object holds a line with a
 * nonce before the value, because etags are hashes of the content on many servers.
 *
 * Each request is sent once: trying again is up to the caller, as the engine does. Where the server
 * has no conditional DELETE (all but AWS, in 2026), a delete with `ifMatch` looks and then deletes,
 * and can lose a write made in between; the engine deletes only what nobody writes any more.
 *
 * @param options The bucket, and where it is.
 * @returns The storage. Nothing is sent before the first call.
 * @throws {TypeError} If the bucket, the prefix or the client makes no sense.
 * @throws {RangeError} If a number is out of range.
 *
 * @example MinIO on this machine, with the cost of every request
 * ```ts ignore
 * import { s3Storage } from "@holdfast/holdfast/s3";
 *
 * const storage = s3Storage({
 *   bucket: "app",
 *   endpoint: "http://127.0.0.1:9000",
 *   forcePathStyle: true,
 *   credentials: { accessKeyId: "…", secretAccessKey: "…" },
 *   onRequest: ({ operation, status, durationMs, costUsd }) => {},
 * });
 * await storage.ready();
 * await storage.put("carts/1", "[]", { ifNoneMatch: "*" });
 * ```
 *
 * @example Arguments are checked at once
 * ```ts
 * import { s3Storage } from "@holdfast/holdfast/s3";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * const storage = s3Storage({ bucket: "app", region: "eu-central-1", prefix: "prod/" });
 * assertEquals(storage.requests.put, 0);
 * assertThrows(() => s3Storage({ bucket: "" }), TypeError);
 * ```
 */
export function s3Storage(options: S3StorageOptions): S3Storage {
  return new S3(checkOptions(options));
}

class S3 implements S3Storage {
  readonly #settings: S3Settings;
  readonly #requests: Requests;
  readonly #objects: Objects;
  readonly #writer: Writer;
  readonly #running = new Set<Promise<unknown>>();
  #ownClient: Connected["client"] | undefined;
  #probing: Promise<ProbeResult> | undefined;
  #closing: Promise<void> | undefined;

  constructor(settings: S3Settings) {
    const { bucket, clock, random } = settings;
    this.#settings = settings;
    this.#requests = new Requests({ ...settings, connect: () => this.#connect() });
    this.#objects = new Objects(this.#requests, bucket);
    const probed = (signal?: AbortSignal): Promise<S3Probe> => this.#probed(signal);
    this.#writer = new Writer({ objects: this.#objects, bucket, clock, random, probed });
  }

  get requests(): S3RequestCounts {
    return this.#requests.counts;
  }

  ready(): Promise<S3Probe> {
    return this.#call({}, () => this.#probed());
  }

  async get(key: string, options: StorageCallOptions = {}): Promise<Stored | undefined> {
    const name = this.#name(checkStorageKey(key));
    checkCallOptions(options, "get");
    return await this.#call(options, async () => {
      const object = await this.#objects.read(name, options.signal);
      return object && { value: decodeBody(object.bytes).value, etag: object.etag };
    });
  }

  async put(key: string, value: string, options: PutOptions = {}): Promise<PutResult> {
    checkPut(key, value, options);
    const name = this.#name(key);
    return await this.#call(options, () => this.#writer.put(name, value, options));
  }

  async delete(key: string, options: DeleteOptions = {}): Promise<DeleteResult> {
    checkDelete(key, options);
    const name = this.#name(key);
    return await this.#call(options, () => this.#writer.delete(name, options));
  }

  async list(prefix: string, options: ListOptions = {}): Promise<readonly string[]> {
    const { after, limit } = checkList(prefix, options);
    return await this.#call(options, () => this.#list(prefix, after, limit, options.signal));
  }

  close(): Promise<void> {
    return this.#closing ??= this.#finish();
  }

  async #list(
    prefix: string,
    after: string,
    limit: number,
    signal: AbortSignal | undefined,
  ): Promise<readonly string[]> {
    const own = this.#settings.prefix;
    const keys: string[] = [];
    for (let from = own + after;;) {
      const wanted = limit - keys.length;
      const { names, last } = await this.#objects.page(own + prefix, from, wanted, signal);
      keys.push(...names.map((name) => name.slice(own.length)).filter(isKey));
      from = names.at(-1) ?? from;
      if (last || names.length === 0 || keys.length >= limit) return keys;
    }
  }

  #name(key: string): string {
    const name = this.#settings.prefix + key;
    if (name.length <= MAX_NAME_LENGTH) return name;
    throw wrongArgument(
      `Cannot use the key: with the prefix it is longer than ${MAX_NAME_LENGTH} characters`,
    );
  }

  async #call<T>({ signal }: StorageCallOptions, run: () => Promise<T>): Promise<T> {
    if (this.#closing !== undefined) {
      throw new HoldfastError("ERR_CLOSED", "Cannot use the storage: it is closed");
    }
    signal?.throwIfAborted();
    const call = run();
    this.#running.add(call);
    try {
      return await call;
    } finally {
      this.#running.delete(call);
    }
  }

  async #connect(): Promise<Connected> {
    const { client, clientOptions } = this.#settings;
    const sdk = await (this.#settings.sdk ?? importSdk());
    if (client !== undefined) return { sdk, client };
    return { sdk, client: this.#ownClient ??= await makeClient(sdk, clientOptions) };
  }

  async #probed(signal?: AbortSignal): Promise<S3Probe> {
    if (!this.#settings.probe) return { ifMatch: "quoted", conditionalDelete: false };
    // Whoever stops waiting does not stop it; a server that was out of reach is asked again.
    this.#probing ??= this.#probe().catch((error) => {
      this.#probing = undefined;
      throw error;
    });
    const result = await untilAborted(this.#probing, signal);
    if (result.usable) return result.probe;
    const message = `Cannot use bucket "${this.#settings.bucket}": ${result.why}`;
    throw new StorageUnavailableError(message, "none");
  }

  #probe(): Promise<ProbeResult> {
    const { bucket, prefix, random } = this.#settings;
    // No storage key has a "!", so that it is never listed nor written by others.
    const key = `${prefix}!holdfast-probe-${encodeBase64url(random.bytes(12))}`;
    return probe({ requests: this.#requests, bucket, key });
  }

  async #finish(): Promise<void> {
    await Promise.allSettled(this.#running);
    await this.#probing?.catch(() => {});
    this.#ownClient?.destroy?.();
  }
}

/** Objects that others have put below the prefix are passed over. */
function isKey(key: string): boolean {
  try {
    return checkStorageKey(key) === key;
  } catch {
    return false;
  }
}
