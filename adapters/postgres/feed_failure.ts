import { type SyncProblem, SyncSetupError } from "../../src/sync/setup.ts";
import { sendersProblem, slotsProblem } from "./replication_check.ts";

interface DriverError {
  readonly code?: unknown;
  readonly message?: unknown;
  readonly severity?: unknown;
}

/**
 * Makes what opening the stream failed with into an error that says what to do, where that is known.
 *
 * @param thrown What the driver threw.
 * @returns The same, or a better one.
 */
export function explainFeed(thrown: unknown): unknown {
  const { code, message } = (thrown ?? {}) as DriverError;
  const text = String(message);
  const problem = problemOf(String(code), text);
  return problem === undefined ? thrown : new SyncSetupError([problem], { cause: thrown });
}

function problemOf(code: string, text: string): SyncProblem | undefined {
  if (code === "53400" && /replication slots/.test(text)) return slotsProblem();
  if (code === "53300" && /max_wal_senders/.test(text)) return sendersProblem();
  if (code === "55000" && /wal_level/.test(text)) {
    return {
      code: "wal_level",
      message: "wal_level is not logical; set it and restart the server",
      sql: "ALTER SYSTEM SET wal_level = 'logical';",
    };
  }
  if (code === "42501") {
    return { code: "privilege", message: `the role may not stream the log: ${text}` };
  }
  return undefined;
}
