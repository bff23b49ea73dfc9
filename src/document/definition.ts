import { isStandardSchema, type StandardSchema } from "../core/schema.ts";
import { checkVsn } from "../core/vsn.ts";
import type { Apply, Authorize, DocumentDefinition, DocumentSpec, PartsOf } from "./model.ts";
import {
  checkKnown,
  named,
  type OptionNames,
  outOfRange,
  shown,
  wrongArgument,
} from "../core/options.ts";

/** Options of {@linkcode defineDocument}. */
export interface DocumentOptions<S, Op> {
  /** Stable name, part of where documents are stored: 1 to 64 of `A-Z a-z 0-9 _ -`. */
  readonly name: string;
  /** Version of the shape of state and operations, 1 or more. */
  readonly vsn: number;
  /** Makes the state of a new document: JSON. */
  readonly state: () => S;
  /**
   * Applies an operation. Where state or operations have literal types (`kind: "add"`), TypeScript needs
   * to be told what it returns: `apply(state, op: Op): Applied<State, Op>`.
   */
  readonly apply: Apply<S, Op>;
  /** Checks an operation before it is applied; any Standard Schema. */
  readonly schema?: StandardSchema<Op>;
  /** Turns a state of an older version into the current shape. */
  readonly migrate?: (fromVsn: number, state: unknown) => unknown;
  /** Turns an operation of an older version, found in the log, into the current shape. */
  readonly migrateOp?: (fromVsn: number, op: unknown) => unknown;
  /** Tells who may join and do what. @default {everybody everything} */
  readonly authorize?: Authorize<S, Op>;
  /** How the state falls into parts, if it does. */
  readonly parts?: PartsOf<S, Op>;
  /** Milliseconds a document stays in memory after the last subscriber left. @default {30000} */
  readonly gracePeriodMs?: number;
  /** Milliseconds between snapshots while there are changes; `null` for none. @default {60000} */
  readonly snapshotIntervalMs?: number | null;
  /** A snapshot is made after this many operations, 1 or more. @default {1000} */
  readonly snapshotOps?: number;
  /** Operations that history keeps at least, 0 or more. @default {10000} */
  readonly historyOps?: number;
  /** Milliseconds that history keeps an operation at least, 3,600,000 or more. @default {86400000} */
  readonly historyMs?: number;
  /** Largest operation in bytes of its JSON, 1 to 1,048,576. @default {65536} */
  readonly maxOpBytes?: number;
  /** Largest document in bytes of its JSON, 1024 to 16,777,216. @default {4194304} */
  readonly maxDocumentBytes?: number;
  /** Bytes of operations that may wait for storage before more are refused. @default {1048576} */
  readonly maxUnsavedBytes?: number;
}

/**
 * Defines a class of documents: one state that many people change, by operations in one order.
 *
 * @param options What it is and how it is changed.
 * @returns The definition; does nothing by itself.
 * @throws {TypeError} If an option makes no sense.
 * @throws {RangeError} If a number is out of range.
 *
 * @example A shared list
 * ```ts
 * import { createHoldfast, defineDocument } from "@holdfast/holdfast";
 * import { memoryStorage } from "@holdfast/holdfast/memory";
 * import { assertEquals } from "@std/assert";
 *
 * const List = defineDocument({
 *   name: "list",
 *   vsn: 1,
 *   state: () => ({ items: [] as string[] }),
 *   apply: (state, op: { add: string }) =>
 *     op.add === "" ? { reject: "empty" } : { state: { items: [...state.items, op.add] } },
 * });
 *
 * const secret = crypto.getRandomValues(new Uint8Array(32));
 * await using holdfast = createHoldfast({ storage: memoryStorage(), secrets: [secret] });
 * const list = holdfast.document(List, "groceries");
 * assertEquals(await list.mutate({ add: "kelp" }), { status: "commit", seq: 1 });
 * assertEquals(await list.state(), { items: ["kelp"] });
 * ```
 */
export function defineDocument<S, Op>(
  options: DocumentOptions<S, Op>,
): DocumentDefinition<S, Op> {
  checkKnown(options, optionNames, `define ${named("document", options)}`);
  const name = checkName(options.name);
  const what = `document "${name}"`;
  const vsn = checkVsn(options.vsn, what);
  for (const key of ["state", "apply"] as const) {
    if (typeof options[key] !== "function") {
      throw wrongArgument(`Cannot define ${what}: "${key}" is not a function`);
    }
  }
  const { schema, migrate, migrateOp, authorize, parts } = options;
  if (schema !== undefined && !isStandardSchema(schema)) {
    throw wrongArgument(`Cannot define ${what}: its schema is no Standard Schema`);
  }
  const number = (key: keyof typeof ranges): number => inRange(what, key, options[key]);
  const interval = options.snapshotIntervalMs;
  const spec: DocumentSpec<S, Op> = {
    name,
    vsn,
    state: options.state,
    apply: options.apply,
    schema,
    migrate,
    migrateOp,
    authorize,
    parts,
    gracePeriodMs: number("gracePeriodMs"),
    snapshotIntervalMs: interval === null ? null : number("snapshotIntervalMs"),
    snapshotOps: number("snapshotOps"),
    historyOps: number("historyOps"),
    historyMs: number("historyMs"),
    maxOpBytes: number("maxOpBytes"),
    maxDocumentBytes: number("maxDocumentBytes"),
    maxUnsavedBytes: number("maxUnsavedBytes"),
  };
  return Object.freeze({ spec: Object.freeze(spec) });
}

/** What is to be set for documents of every kind. */
export type CommonOptions = Omit<
  DocumentOptions<unknown, unknown>,
  "state" | "apply" | "schema" | "migrate" | "migrateOp" | "parts"
>;

/** The names of those. */
export const commonNames: OptionNames<CommonOptions> = {
  name: true,
  vsn: true,
  authorize: "a function",
  gracePeriodMs: true,
  snapshotIntervalMs: true,
  snapshotOps: true,
  historyOps: true,
  historyMs: true,
  maxOpBytes: true,
  maxDocumentBytes: true,
  maxUnsavedBytes: true,
};

const optionNames: OptionNames<DocumentOptions<unknown, unknown>> = {
  ...commonNames,
  state: true,
  apply: true,
  schema: true,
  migrate: "a function",
  migrateOp: "a function",
  parts: "an object",
};

const forever = Number.MAX_SAFE_INTEGER;

/** Default, least and most of each number. */
const ranges = {
  gracePeriodMs: [30_000, 0, forever],
  snapshotIntervalMs: [60_000, 100, forever],
  snapshotOps: [1000, 1, forever],
  historyOps: [10_000, 0, forever],
  // Not less: a node that slept for long must find the slot it would write to taken (SPEC DO9).
  historyMs: [86_400_000, 3_600_000, forever],
  maxOpBytes: [65_536, 1, 1_048_576],
  maxDocumentBytes: [4_194_304, 1024, 16_777_216],
  maxUnsavedBytes: [1_048_576, 1024, 67_108_864],
} as const;

function inRange(
  what: string,
  key: keyof typeof ranges,
  given: number | null | undefined,
): number {
  const [fallback, least, most] = ranges[key];
  const value = given ?? fallback;
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw outOfRange(
    `Cannot define ${what}: ${key} is ${value}, not a whole number from ${least} to ${most}`,
  );
}

function checkName(name: unknown): string {
  if (typeof name === "string" && /^[A-Za-z0-9_-]{1,64}$/.test(name)) return name;
  throw wrongArgument(
    `Cannot define a document named ${shown(name)}: a name is 1 to 64 of A-Z a-z 0-9 _ -`,
  );
}
