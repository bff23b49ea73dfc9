import { HoldfastError, StorageUnavailableError } from "../../src/core/errors.ts";
import { checkStorageKey } from "../../src/core/key.ts";
import { checkDelete, checkList, checkPut } from "../../src/core/storage_args.ts";
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
import { checkTarget, decodeText, type LoadModule, type NatsTarget, openNats } from "./connect.ts";
import { checkKnown, type OptionNames, outOfRange, wrongArgument } from "../../src/core/options.ts";

/** Options of {@linkcode natsStorage}: where NATS is, and the bucket. */
export interface NatsStorageOptions extends NatsTarget {
  /** Name of the bucket, `A-Z a-z 0-9 _ -`; made if it is absent. @default {"holdfast"} */
  readonly bucket?: string;
  /** Servers that keep a copy, 1 to 5, of a bucket that is made. @default {1} */
  readonly replicas?: number;
}

/** A storage in a bucket of NATS. */
export interface NatsStorage extends Storage {
  /** Finishes the calls it has accepted, then closes the connection it opened itself. */
  close(): Promise<void>;
}

interface Entry {
  readonly operation: string;
  readonly revision: number;
  readonly value: Uint8Array;
}

interface Bucket {
  get(key: string): Promise<Entry | null>;
  put(key: string, value: string): Promise<number>;
  create(key: string, value: string): Promise<number>;
  update(key: string, value: string, revision: number): Promise<number>;
  delete(key: string, options?: { previousSeq: number }): Promise<void>;
  keys(filter: string): Promise<AsyncIterable<string>>;
}

interface KvModule {
  readonly Kvm: new (connection: unknown) => {
    create(name: string, options: Readonly<Record<string, unknown>>): Promise<Bucket>;
  };
}

interface Opened {
  readonly bucket: Bucket;
  readonly close: () => Promise<void>;
}

const optionNames: OptionNames<NatsStorageOptions> = {
  connection: true,
  connect: "a function",
  servers: true,
  clientOptions: "an object",
  bucket: "a string",
  replicas: true,
};

/**
 * Makes a storage in a key-value bucket of NATS JetStream, with revisions as etags. Any number of
 * nodes may share it. Reads go to the leader of the bucket, never to a replica that may be behind. An
 * `ok` write is with most of `replicas`; a server by itself leaves flushing to its `sync_interval`,
 * so that one replica survives the death of the process and not always that of the machine.
 *
 * A value has at most the server's `max_payload`, 1 MiB unless it is told otherwise. Listing reads the
 * names of everything below the last `/` of the prefix.
 *
 * @param options Where NATS is, and the bucket.
 * @returns The storage. It connects on first use; needs the package `@nats-io/kv`.
 * @throws {TypeError} If not exactly one of `servers`, `connect` and `connection` is given, or the
 * bucket has no name of a bucket.
 * @throws {RangeError} If `replicas` is out of range.
 *
 * @example
 * ```ts ignore
 * import { natsStorage } from "@holdfast/holdfast/nats";
 *
 * const storage = natsStorage({ servers: "nats://localhost:4222", replicas: 3 });
 * await storage.put("carts/1", "[]");
 * await storage.close();
 * ```
 */
export function natsStorage(options: NatsStorageOptions): NatsStorage {
  checkKnown(options, optionNames, "make the NATS storage");
  const { bucket = "holdfast", replicas = 1 } = options;
  checkTarget("NATS storage", options);
  if (!/^[\w-]+$/.test(bucket)) {
    throw wrongArgument(
      `Cannot make the NATS storage: ${JSON.stringify(bucket)} is no name of a bucket`,
    );
  }
  if (!(Number.isInteger(replicas) && replicas >= 1 && replicas <= 5)) {
    throw outOfRange("Cannot make the NATS storage: replicas is not 1 to 5");
  }
  return new Nats(options, bucket, replicas);
}

class Nats implements NatsStorage {
  readonly #target: NatsTarget;
  readonly #bucket: string;
  readonly #replicas: number;
  readonly #running = new Set<Promise<unknown>>();
  #opened: Promise<Opened> | undefined;
  #closing: Promise<void> | undefined;

  constructor(target: NatsTarget, bucket: string, replicas: number) {
    this.#target = target;
    this.#bucket = bucket;
    this.#replicas = replicas;
  }

  async get(key: string, options: StorageCallOptions = {}): Promise<Stored | undefined> {
    checkStorageKey(key);
    return await this.#run("none", options, (bucket) => read(bucket, key));
  }

  async put(key: string, value: string, options: PutOptions = {}): Promise<PutResult> {
    checkPut(key, value, options);
    const { ifMatch, ifNoneMatch } = options;
    return await this.#run("unknown", options, async (bucket) => {
      const name = encode(key);
      const write = (): Promise<number> => {
        if (ifNoneMatch !== undefined) return bucket.create(name, value);
        if (ifMatch === undefined) return bucket.put(name, value);
        return bucket.update(name, value, Number(ifMatch));
      };
      if (ifMatch !== undefined && !isRevision(ifMatch)) return await lost(bucket, key);
      try {
        return { ok: true, etag: String(await write()) };
      } catch (error) {
        if (!overtaken(error)) throw error;
        return await lost(bucket, key);
      }
    });
  }

  async delete(key: string, options: DeleteOptions = {}): Promise<DeleteResult> {
    checkDelete(key, options);
    const { ifMatch } = options;
    return await this.#run("unknown", options, async (bucket) => {
      const found = await read(bucket, key);
      // Nothing to delete leaves no mark.
      if (ifMatch === undefined && found === undefined) return { ok: true };
      if (ifMatch !== undefined && found?.etag !== ifMatch) {
        return { ok: false, found: found?.etag ?? null };
      }
      try {
        const condition = ifMatch === undefined ? undefined : { previousSeq: Number(ifMatch) };
        await bucket.delete(encode(key), condition);
        return { ok: true };
      } catch (error) {
        if (!overtaken(error)) throw error;
        return await lost(bucket, key);
      }
    });
  }

  async list(prefix: string, options: ListOptions = {}): Promise<readonly string[]> {
    const { after, limit } = checkList(prefix, options);
    return await this.#run("none", options, async (bucket) => {
      const folder = prefix.slice(0, prefix.lastIndexOf("/") + 1);
      const keys: string[] = [];
      for await (const name of await bucket.keys(`${encode(folder)}>`)) {
        const key = decode(name);
        if (key.startsWith(prefix) && key > after) keys.push(key);
      }
      // The order of names is that of bytes, and they are ASCII.
      return [...new Set(keys)].sort().slice(0, limit);
    });
  }

  close(): Promise<void> {
    return this.#closing ??= this.#finish();
  }

  async #run<T>(
    outcome: "none" | "unknown",
    { signal }: StorageCallOptions,
    call: (bucket: Bucket) => Promise<T>,
  ): Promise<T> {
    if (this.#closing !== undefined) {
      throw new HoldfastError("ERR_CLOSED", "Cannot use the storage: it is closed");
    }
    signal?.throwIfAborted();
    const running = this.#open().then(async ({ bucket }) => {
      signal?.throwIfAborted();
      return await call(bucket).catch((error) => {
        throw explained(error, outcome);
      });
    });
    this.#running.add(running);
    const forget = (): void => void this.#running.delete(running);
    running.then(forget, forget);
    return await (signal === undefined ? running : orAborted(running, signal));
  }

  /** A failure is not remembered: the next call tries again. */
  #open(): Promise<Opened> {
    return this.#opened ??= this.#connect().catch((error) => {
      this.#opened = undefined;
      throw explained(error, "none");
    });
  }

  async #connect(): Promise<Opened> {
    const { Kvm } = await loadKv();
    const { connection, own } = await openNats(this.#target);
    const close = async (): Promise<void> => {
      if (own) await connection.close();
    };
    try {
      const bucket = await new Kvm(connection).create(this.#bucket, {
        history: 1,
        replicas: this.#replicas,
        // A direct read may be answered by a replica that is behind.
        allow_direct: false,
      });
      return { bucket, close };
    } catch (error) {
      await close();
      throw error;
    }
  }

  async #finish(): Promise<void> {
    await Promise.allSettled(this.#running);
    await (await this.#opened?.catch(() => undefined))?.close();
  }
}

async function loadKv(load: LoadModule = (name) => import(name)): Promise<KvModule> {
  try {
    return await load("@nats-io/kv") as KvModule;
  } catch (cause) {
    throw new StorageUnavailableError(
      'Cannot open the NATS storage: the package "@nats-io/kv" is not installed; add it ' +
        "(npm install @nats-io/kv)",
      "none",
      { cause },
    );
  }
}

async function read(bucket: Bucket, key: string): Promise<Stored | undefined> {
  const entry = await bucket.get(encode(key));
  if (entry === null || entry.operation !== "PUT") return undefined;
  return { value: decodeText(entry.value), etag: String(entry.revision) };
}

async function lost(
  bucket: Bucket,
  key: string,
): Promise<{ readonly ok: false; readonly found: string | null }> {
  return { ok: false, found: (await read(bucket, key))?.etag ?? null };
}

function isRevision(etag: string): boolean {
  return /^[1-9]\d{0,15}$/.test(etag);
}

/** Whether another write was first: wrong last sequence, with and without saying which. */
function overtaken(error: unknown): boolean {
  const { code } = (error ?? {}) as { readonly code?: unknown };
  return code === 10071 || code === 10164;
}

/** Segments become tokens of a subject, and what a token cannot hold is escaped. */
function encode(key: string): string {
  return key.replace(/[.=~]/g, (c) => `=${c.charCodeAt(0).toString(16)}`).replaceAll("/", ".");
}

function decode(name: string): string {
  return name.replaceAll(".", "/")
    .replace(/=(..)/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
}

/** Makes the error a caller gets. */
function explained(error: unknown, outcome: "none" | "unknown"): Error {
  if (error instanceof HoldfastError) return error;
  const { name, message } = error as Error;
  // The server has said no, or there is none that would have got it.
  const refused = name === "JetStreamApiError" || name === "NoRespondersError";
  return new StorageUnavailableError(
    `Cannot use the storage: NATS reported "${name}: ${String(message).slice(0, 200)}"`,
    refused ? "none" : outcome,
    { cause: error },
  );
}

/** What the promise says, unless the signal aborts first. */
function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener("abort", onAbort);
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
