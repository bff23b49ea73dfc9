/** Every code an error of this library can carry. */
export type ErrorCode =
  | "ERR_CLOSED"
  | "ERR_CONFLICT"
  | "ERR_COOLING_DOWN"
  | "ERR_CORDONED"
  | "ERR_CORRUPT_RECORD"
  | "ERR_DEADLINE"
  | "ERR_DELETED"
  | "ERR_FOREIGN_ROW"
  | "ERR_INVALID_ARGUMENTS"
  | "ERR_INVALID_STATE"
  | "ERR_INVALID_VALUE"
  | "ERR_MAILBOX_FULL"
  | "ERR_NEWER_VERSION"
  | "ERR_NO_AUTHORIZE"
  | "ERR_REENTRANT"
  | "ERR_REFUSED"
  | "ERR_SESSION_ENDED"
  | "ERR_SESSION_REFUSED"
  | "ERR_SESSION_SEALED"
  | "ERR_STORAGE_UNAVAILABLE"
  | "ERR_SUPERSEDED"
  | "ERR_SYNC_SETUP"
  | "ERR_TOO_LARGE"
  | "ERR_UNKNOWN_CLASS"
  | "ERR_UNKNOWN_HANDLER"
  | "ERR_UNKNOWN_OBJECT"
  | "ERR_UNKNOWN_OPTION"
  | "ERR_UNRECOVERED"
  | "ERR_WRONG_ARGUMENT";

/** Options of {@linkcode HoldfastError}. */
export interface HoldfastErrorOptions extends ErrorOptions {
  /** `true` if the same call may succeed later. @default {false} */
  readonly retryable?: boolean;
}

/**
 * Base of every error this library throws for what a caller cannot rule out beforehand. Match on
 * {@linkcode HoldfastError.code}, not on the class or the message. Wrong arguments are `TypeError`
 * or `RangeError` instead, most with the code `ERR_WRONG_ARGUMENT`, and `ERR_UNKNOWN_OPTION` for an option
 * that does not exist.
 *
 * @example Matching on the code
 * ```ts
 * import { HoldfastError } from "@holdfast/holdfast";
 * import { assertEquals } from "@std/assert";
 *
 * const error = new HoldfastError("ERR_CLOSED", "Cannot write: the instance is closed");
 * assertEquals(error.code, "ERR_CLOSED");
 * ```
 */
export class HoldfastError extends Error {
  /** What happened, as a literal a program can match on. */
  readonly code: ErrorCode;
  /** `true` if the same call may succeed later. */
  readonly retryable: boolean;

  /** @internal */
  constructor(code: ErrorCode, message: string, options: HoldfastErrorOptions = {}) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
    this.retryable = options.retryable ?? false;
  }
}

/** One offender found while checking a value. */
export interface Problem {
  /** Where it is, from the root of the value: `items[2].price`; empty for the root itself. */
  readonly path: string;
  /** What is the case there, as a phrase: `is a bigint`, `is not finite`. */
  readonly reason: string;
}

function describe(problems: readonly Problem[]): string {
  const shown = problems.slice(0, 3).map(({ path, reason }) =>
    path === "" ? `it ${reason}` : `"${path}" ${reason}`
  );
  const more = problems.length - shown.length;
  return shown.join("; ") + (more > 0 ? `; and ${more} more` : "");
}

/** Thrown when a value cannot be stored as JSON (`ERR_INVALID_VALUE`). */
export class InvalidValueError extends HoldfastError {
  /** The offenders, in the order they were found. */
  readonly problems: readonly Problem[];

  /** @internal */
  constructor(what: string, problems: readonly Problem[], options?: HoldfastErrorOptions) {
    super("ERR_INVALID_VALUE", `Cannot store ${what}: ${describe(problems)}`, options);
    this.problems = problems;
  }
}

/** Thrown when a value does not satisfy its schema (`ERR_INVALID_STATE`). */
export class InvalidStateError extends HoldfastError {
  /** What the schema said. */
  readonly problems: readonly Problem[];

  /** @internal */
  constructor(what: string, problems: readonly Problem[], options?: HoldfastErrorOptions) {
    super("ERR_INVALID_STATE", `Cannot accept ${what}: ${describe(problems)}`, options);
    this.problems = problems;
  }
}

/** Thrown when the arguments of a call do not satisfy their schema (`ERR_INVALID_ARGUMENTS`). */
export class InvalidArgumentsError extends HoldfastError {
  /** What the schema said; a path begins with the position of the argument. */
  readonly problems: readonly Problem[];

  /** @internal */
  constructor(what: string, problems: readonly Problem[], options?: HoldfastErrorOptions) {
    super("ERR_INVALID_ARGUMENTS", `Cannot call ${what}: ${describe(problems)}`, options);
    this.problems = problems;
  }
}

/** Thrown when a record would be, or was found, larger than allowed (`ERR_TOO_LARGE`). */
export class TooLargeError extends HoldfastError {
  /** @internal */
  constructor(message: string, options?: HoldfastErrorOptions) {
    super("ERR_TOO_LARGE", message, options);
  }
}

/** Thrown when other writers kept winning until the retries ran out (`ERR_CONFLICT`). */
export class ConflictError extends HoldfastError {
  /** @internal */
  constructor(message: string, options?: ErrorOptions) {
    super("ERR_CONFLICT", message, { ...options, retryable: true });
  }
}

/**
 * Thrown when storage failed or did not answer in time (`ERR_STORAGE_UNAVAILABLE`). After a failed
 * write the outcome can be `"unknown"`: it may have taken effect without our hearing of it.
 */
export class StorageUnavailableError extends HoldfastError {
  /** `"none"` if nothing was written for certain, `"unknown"` if a write may have happened. */
  readonly outcome: "none" | "unknown";

  /** @internal */
  constructor(message: string, outcome: "none" | "unknown", options?: ErrorOptions) {
    super("ERR_STORAGE_UNAVAILABLE", message, { ...options, retryable: true });
    this.outcome = outcome;
  }
}
