import { HoldfastError } from "../core/errors.ts";

/** Something that has to be put right before changes can be followed. */
export interface SyncProblem {
  /** What it is about, as a literal. */
  readonly code:
    | "postgres_version"
    | "wal_level"
    | "standby"
    | "privilege"
    | "slots"
    | "senders"
    | "wal_limit"
    | "table"
    | "column"
    | "key_type"
    | "identity"
    | "row_security"
    | "publication";
  /** What is the case, as a sentence. */
  readonly message: string;
  /** What puts it right, if SQL can. */
  readonly sql?: string;
  /** It works all the same, and somebody should look at it: nothing is refused for it. */
  readonly warning?: true;
}

/** Thrown when a database is not set up for sync (`ERR_SYNC_SETUP`); the message has the SQL to run. */
export class SyncSetupError extends HoldfastError {
  /** All that was found. */
  readonly problems: readonly SyncProblem[];

  /** @internal */
  constructor(problems: readonly SyncProblem[], options?: ErrorOptions) {
    super("ERR_SYNC_SETUP", `Cannot sync: ${problems.map(describe).join("\n")}`, options);
    this.problems = problems;
  }
}

function describe({ message, sql }: SyncProblem, i: number, all: readonly SyncProblem[]): string {
  // Of what puts several right the SQL comes once, with the last of them.
  return sql === undefined || all.slice(i + 1).some((other) => other.sql === sql)
    ? message
    : `${message}; run this SQL first:\n${sql}`;
}
