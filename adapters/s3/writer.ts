import { encodeBase64url } from "../../src/core/base64url.ts";
import { nextDelay, type RetryPolicy } from "../../src/core/retry.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { DeleteResult, PutResult, StorageCallOptions } from "../../src/ports/storage.ts";
import type { Random } from "../../src/ports/random.ts";
import { encodeBody } from "./body.ts";
import { isEtag, spell } from "./etag.ts";
import { type Failure, isAbsent, judge, unavailable, type Verdict } from "./failure.ts";
import { isBy, type Objects, type S3Object } from "./objects.ts";
import type { S3Probe } from "./probe.ts";
import { pause } from "./wait.ts";

/**
 * Only for a write that met another one and may still go ahead. Everything else fails at once: the
 * engine has its own tries, and tries within tries multiply when a server is overloaded.
 */
const collisions: RetryPolicy = { tries: 6, firstDelayMs: 10, maxDelayMs: 200 };

/** What a {@linkcode Writer} stands on. */
export interface WriterPorts {
  readonly objects: Objects;
  readonly bucket: string;
  readonly clock: Clock;
  readonly random: Random;
  /** What the server keeps to; found out before the first write with a condition. */
  readonly probed: (signal?: AbortSignal) => Promise<S3Probe>;
}

/** A condition of the storage port, with the one option that is not part of it. */
interface Conditions extends StorageCallOptions {
  readonly ifMatch?: string;
  readonly ifNoneMatch?: "*";
}

/** A write under way. */
interface Write {
  readonly name: string;
  readonly nonce: string;
  /** The version it is to replace; `null` for none, `undefined` for any. */
  readonly over: string | null | undefined;
  readonly signal: AbortSignal | undefined;
}

/** Writes and deletes, and finds out what became of those that failed. */
export class Writer {
  readonly #ports: WriterPorts;

  constructor(ports: WriterPorts) {
    this.#ports = ports;
  }

  /** Writes an object. */
  async put(name: string, value: string, conditions: Conditions): Promise<PutResult> {
    const { objects, clock, random } = this.#ports;
    const { ifMatch, ifNoneMatch, signal } = conditions;
    const over = ifNoneMatch === "*" ? null : ifMatch;
    if (ifMatch !== undefined && !isEtag(ifMatch)) return await this.#beaten(name, signal);
    const condition = await this.#condition(over, signal);
    const write: Write = { name, nonce: encodeBase64url(random.bytes(12)), over, signal };
    const body = encodeBody({ nonce: write.nonce, value });
    for (let failed = 1;; failed++) {
      const answer = await objects.write(name, body, condition, signal);
      if (answer.ok) return { ok: true, etag: answer.output };
      const result = await this.#settle(write, answer);
      if (result !== undefined) return result;
      const delayMs = nextDelay(collisions, failed, random.number());
      if (delayMs === undefined) throw this.#failure("put", answer, "none");
      await pause(clock, delayMs, signal);
    }
  }

  /**
   * Deletes an object. Where the server has no conditional delete, a delete with a condition looks
   * and then deletes: what is written in between is lost.
   */
  async delete(name: string, { ifMatch, signal }: Conditions): Promise<DeleteResult> {
    const { objects, probed } = this.#ports;
    if (ifMatch !== undefined && !isEtag(ifMatch)) return await this.#beaten(name, signal);
    const native = ifMatch !== undefined && (await probed(signal)).conditionalDelete;
    if (ifMatch !== undefined && !native) {
      const found = await objects.look(name, signal);
      if (found !== ifMatch) return { ok: false, found };
    }
    const condition = native ? await this.#condition(ifMatch, signal) : {};
    const answer = await objects.remove(name, condition, signal);
    if (answer.ok || (!native && isAbsent(answer))) return { ok: true };
    const verdict = judge(answer, native);
    if (verdict === "beaten") return await this.#beaten(name, signal);
    throw this.#failure("delete", answer, verdict === "unsure" ? "unknown" : "none");
  }

  /** What became of a write that failed; `undefined` if it may be tried again. */
  async #settle(write: Write, failure: Failure): Promise<PutResult | undefined> {
    const { nonce, over } = write;
    const verdict = judge(failure, over !== undefined);
    if (verdict === "refused") throw this.#failure("put", failure, "none");
    const stored = await this.#read(write, failure, verdict);
    // Also after a lost race: what is between us and the server may have sent the write twice.
    if (stored !== undefined && isBy(nonce, stored)) return { ok: true, etag: stored.etag };
    // Also when another one is there: it may have been built upon ours.
    if (verdict === "unsure") throw this.#failure("put", failure, "unknown");
    const found = stored?.etag ?? null;
    return verdict === "collided" && found === over ? undefined : { ok: false, found };
  }

  /** Reads what is there after a write whose outcome is not clear. */
  async #read(
    { name, signal }: Write,
    failure: Failure,
    verdict: Verdict,
  ): Promise<S3Object | undefined> {
    try {
      return await this.#ports.objects.read(name, signal);
    } catch (error) {
      signal?.throwIfAborted();
      if (verdict === "unsure") throw this.#failure("put", failure, "unknown");
      throw error;
    }
  }

  async #beaten(
    name: string,
    signal: AbortSignal | undefined,
  ): Promise<{ readonly ok: false; readonly found: string | null }> {
    return { ok: false, found: await this.#ports.objects.look(name, signal) };
  }

  async #condition(over: string | null | undefined, signal?: AbortSignal): Promise<object> {
    if (over === undefined) return {};
    const { ifMatch } = await this.#ports.probed(signal);
    return over === null ? { IfNoneMatch: "*" } : { IfMatch: spell(over, ifMatch) };
  }

  #failure(operation: "put" | "delete", failure: Failure, outcome: "none" | "unknown"): Error {
    return unavailable(operation, this.#ports.bucket, failure, outcome);
  }
}
