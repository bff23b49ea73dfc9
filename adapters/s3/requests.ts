import type { Clock } from "../../src/ports/clock.ts";
import { type Failure, failureOf } from "./failure.ts";
import { costOf, type S3Operation, type S3Prices } from "./prices.ts";
import type { S3ClientLike, S3Sdk } from "./sdk.ts";
import { untilAborted } from "./wait.ts";

/** One request, as it ended. Names neither a key nor what is stored. */
export interface S3RequestEvent {
  /** What was asked for. */
  readonly operation: S3Operation;
  /** HTTP status of the answer; `undefined` if there was none. */
  readonly status: number | undefined;
  /** Name of the error, if it was one. */
  readonly code?: string;
  /** How often the client sent it: 1, unless one that was handed in tries again by itself. */
  readonly attempts: number;
  /** Milliseconds it took, the waiting for a free connection included. */
  readonly durationMs: number;
  /** What it cost, in US dollars. */
  readonly costUsd: number;
}

/** Requests of one storage so far. */
export interface S3RequestCounts extends Readonly<Record<S3Operation, number>> {
  /** Those without an answer, or answered with a 5xx. */
  readonly failed: number;
  /** What all of them cost, in US dollars. */
  readonly costUsd: number;
}

/** What became of a request. */
export type Answer<T> = { readonly ok: true; readonly output: T } | Failure;

/** What {@linkcode Requests} stands on. */
export interface RequestPorts {
  readonly clock: Clock;
  /** Longest wait for an answer, in milliseconds. */
  readonly timeoutMs: number;
  readonly prices: S3Prices;
  readonly onRequest: ((event: S3RequestEvent) => void) | undefined;
  /** Finds the module, and makes or finds the client. */
  readonly connect: () => Promise<Connected>;
}

/** The module and a client of it. */
export interface Connected {
  readonly sdk: S3Sdk;
  readonly client: S3ClientLike;
}

/** The part of every output that is used here. */
interface Output {
  readonly $metadata?: { readonly httpStatusCode?: number; readonly attempts?: number };
}

const commands = {
  get: "GetObjectCommand",
  head: "HeadObjectCommand",
  put: "PutObjectCommand",
  delete: "DeleteObjectCommand",
  list: "ListObjectsV2Command",
} as const;

const NO_REQUESTS: S3RequestCounts = {
  get: 0,
  head: 0,
  put: 0,
  delete: 0,
  list: 0,
  failed: 0,
  costUsd: 0,
};

/** Sends requests, each with a time limit, and counts them. */
export class Requests {
  readonly #ports: RequestPorts;
  #connecting: Promise<Connected> | undefined;
  #counts = NO_REQUESTS;

  constructor(ports: RequestPorts) {
    this.#ports = ports;
  }

  /** Requests so far. */
  get counts(): S3RequestCounts {
    return this.#counts;
  }

  /**
   * Sends one request.
   *
   * @param read Reads what is used of the output; what it throws is a failure of the request.
   * @returns What came of it.
   * @throws The reason of the signal, if it aborts first.
   */
  async send<T>(
    operation: S3Operation,
    input: object,
    signal: AbortSignal | undefined,
    read: (output: never) => T | Promise<T>,
  ): Promise<Answer<T>> {
    const { sdk, client } = await untilAborted(this.#connect(), signal);
    const { clock } = this.#ports;
    const startedAt = clock.monotonic();
    const command = new sdk[commands[operation]](input as never) as never;
    let metadata: Output["$metadata"];
    const result = await this.#limited<T>(signal, async (abortSignal) => {
      const output = await client.send(command, { abortSignal }) as Output;
      metadata = output.$metadata;
      return await read(output as never);
    });
    this.#note(operation, clock.monotonic() - startedAt, {
      status: result.ok ? metadata?.httpStatusCode : result.status,
      attempts: result.ok ? metadata?.attempts ?? 1 : result.attempts,
      ...(!result.ok && { code: result.code }),
    });
    if (!result.ok) signal?.throwIfAborted();
    return result;
  }

  /** With a signal of its own: a caller's lives on and is used again. */
  async #limited<T>(
    signal: AbortSignal | undefined,
    run: (signal: AbortSignal) => Promise<T>,
  ): Promise<Answer<T>> {
    const { clock, timeoutMs } = this.#ports;
    const controller = new AbortController();
    const forward = (): void => controller.abort(signal?.reason);
    signal?.addEventListener("abort", forward, { once: true });
    const cancel = clock.timer(timeoutMs, () => {
      controller.abort(new DOMException(`No answer within ${timeoutMs} ms`, "TimeoutError"));
    });
    try {
      if (signal?.aborted) forward();
      return { ok: true, output: await untilAborted(run(controller.signal), controller.signal) };
    } catch (cause) {
      return failureOf(cause);
    } finally {
      cancel();
      signal?.removeEventListener("abort", forward);
    }
  }

  #connect(): Promise<Connected> {
    // A failure is not remembered: the next request tries again.
    return this.#connecting ??= this.#ports.connect().catch((error) => {
      this.#connecting = undefined;
      throw error;
    });
  }

  #note(
    operation: S3Operation,
    durationMs: number,
    seen: Pick<S3RequestEvent, "status" | "code" | "attempts">,
  ): void {
    const { prices, onRequest } = this.#ports;
    const costUsd = seen.attempts * costOf(prices, operation, seen.status);
    const failed = seen.status === undefined || seen.status >= 500;
    this.#counts = {
      ...this.#counts,
      [operation]: this.#counts[operation] + seen.attempts,
      failed: this.#counts.failed + (failed ? 1 : 0),
      costUsd: this.#counts.costUsd + costUsd,
    };
    try {
      onRequest?.({ operation, ...seen, durationMs, costUsd });
    } catch {
      // A listener's own failure must not become the storage's.
    }
  }
}
