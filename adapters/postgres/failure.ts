import { StorageUnavailableError } from "../../src/core/errors.ts";

/** What an error of the driver means for the statement it came from. */
export type Failure =
  /** Rolled back for the sake of another transaction: the same again can succeed. */
  | "retry"
  /** Refused by the server; possibly for what one row of it holds. */
  | "refused"
  /** Not done: the server was not reached, or is not in a state to do it. */
  | "not-done"
  /** The table is not there. */
  | "no-table"
  /** The connection went away before the answer: it may have been done. */
  | "unknown";

interface DriverError {
  readonly code?: unknown;
  readonly syscall?: unknown;
  readonly severity?: unknown;
  readonly message?: unknown;
}

/** Serialization failure, deadlock, lock not available. */
const RETRY = new Set(["40001", "40P01", "55P03"]);

/** The query never left: no name, nobody listening, or a pool that was ended. */
const UNSENT = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "CONNECT_TIMEOUT",
  "CONNECTION_ENDED",
]);

/**
 * What a server says when it refuses a connection: starting up or stopping, too many, not known, no
 * such database. FATAL at any other time means that it ended a connection which may have had work.
 */
const NO_ENTRY = /^(?:57P03|53300|28...|3D000)$/;

/** Resources, operator, transaction state, system: the whole server, not one row. */
const WHOLE_SERVER = /^(?:08|25|42|53|57|58|0A|F0)/;

/**
 * Tells what an error of the driver means.
 *
 * @param thrown What a query rejected with.
 * @returns Its meaning; `"unknown"` for whatever is not known to be harmless.
 */
export function classify(thrown: unknown): Failure {
  const { code, syscall, severity } = (thrown ?? {}) as DriverError;
  const name = String(code);
  if (severity === "ERROR") {
    // The statement was its own transaction, and it was rolled back.
    if (RETRY.has(name)) return "retry";
    if (name === "42P01") return "no-table";
    return WHOLE_SERVER.test(name) ? "not-done" : "refused";
  }
  if (severity !== undefined) return NO_ENTRY.test(name) ? "not-done" : "unknown";
  const unsent = UNSENT.has(name) || syscall === "connect" || syscall === "getaddrinfo";
  return unsent ? "not-done" : "unknown";
}

/**
 * Makes the error a caller gets.
 *
 * @param what What could not be done: `read`, `write`.
 * @param thrown What the driver threw. It is not kept: it carries the parameters of the query, which
 * are stored values.
 * @param outcome Whether it may have been done.
 * @returns The error.
 */
export function unavailable(
  what: string,
  thrown: unknown,
  outcome: "none" | "unknown",
): StorageUnavailableError {
  if (thrown instanceof StorageUnavailableError) return thrown;
  const { code, message } = (thrown ?? {}) as DriverError;
  const cause = new Error(`${code ?? "error"}: ${String(message).split("\n")[0]?.slice(0, 200)}`);
  return new StorageUnavailableError(
    `Cannot ${what}: Postgres reported "${code ?? "an error"}"`,
    outcome,
    { cause },
  );
}
