import { StorageUnavailableError } from "../../src/core/errors.ts";
import type { S3Operation } from "./prices.ts";

/** A request that did not end well. */
export interface Failure {
  readonly ok: false;
  /** HTTP status of the answer; `undefined` if there was none. */
  readonly status: number | undefined;
  /** The server's or the runtime's name for it. */
  readonly code: string;
  /** How often the client sent it. One that was handed in may have tried again by itself. */
  readonly attempts: number;
  readonly cause: unknown;
}

/**
 * What a failure says about a write:
 * - `"beaten"`: its condition did not hold, so nothing was written.
 * - `"collided"`: it met another write and nothing was written; its condition may still hold.
 * - `"refused"`: nothing was written, for another reason.
 * - `"unsure"`: it may have happened.
 */
export type Verdict = "beaten" | "collided" | "refused" | "unsure";

/** What runtimes call it when there never was a connection. */
const NEVER_SENT: ReadonlySet<string> = new Set([
  "ConnectionRefused",
  "CredentialsProviderError",
  "EAI_AGAIN",
  "ECONNREFUSED",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
]);

interface Thrown {
  readonly name?: unknown;
  readonly code?: unknown;
  readonly Code?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: unknown; readonly attempts?: unknown };
}

/** Reads what the SDK threw. */
export function failureOf(cause: unknown): Failure {
  const { name, code, Code, $metadata } = (cause ?? {}) as Thrown;
  const status = $metadata?.httpStatusCode;
  const named = [Code, code, name].find((one) => typeof one === "string");
  return {
    ok: false,
    status: typeof status === "number" ? status : undefined,
    code: typeof named === "string" ? named : "Unknown",
    attempts: typeof $metadata?.attempts === "number" ? $metadata.attempts : 1,
    cause,
  };
}

/**
 * Judges a failed write.
 *
 * @param failure What came back.
 * @param conditional Whether the write had a condition.
 */
export function judge(failure: Failure, conditional: boolean): Verdict {
  const { status, code, attempts } = failure;
  // This answer is about the last try; an earlier one may have been carried out.
  if (attempts > 1) return "unsure";
  if (status === undefined) return NEVER_SENT.has(code) ? "refused" : "unsure";
  if (conditional && isRace(status, code)) return status === 409 ? "collided" : "beaten";
  // Measured: what Ceph tells the loser of a race, who has not written.
  if (conditional && status === 500 && code === "UnknownError") return "collided";
  if (status === 503) return isThrottle(failure) ? "refused" : "unsure";
  return status < 500 ? "refused" : "unsure";
}

/** AWS says 404 where an object to match is missing, others 412. */
function isRace(status: number, code: string): boolean {
  return status === 412 || status === 409 || (status === 404 && code !== "NoSuchBucket");
}

/** With an error document S3 said so itself; without one it may be a proxy that lost its server. */
function isThrottle({ cause }: Failure): boolean {
  return typeof (cause as Thrown).Code === "string";
}

/** Tells whether the answer was that there is no such object. */
export function isAbsent({ status, code }: Failure): boolean {
  return status === 404 && code !== "NoSuchBucket";
}

/** Puts a failure into words. */
export function unavailable(
  operation: S3Operation,
  bucket: string,
  failure: Failure,
  outcome: "none" | "unknown",
): StorageUnavailableError {
  const { status, code, cause } = failure;
  const answer = status === undefined
    ? `there was no answer (${code})`
    : code === "NoSuchBucket"
    ? "the bucket does not exist"
    : `the server answered ${status} ${code}`;
  const message = `Cannot ${operation} in bucket "${bucket}": ${answer}`;
  return new StorageUnavailableError(message, outcome, { cause });
}
