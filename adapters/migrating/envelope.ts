import { HoldfastError } from "../../src/core/errors.ts";
import { MIGRATION_PREFIX as PREFIX } from "../../src/object/record.ts";
import type { Stored } from "../../src/ports/storage.ts";

/** Where the old store says that its texts were copied once. */
export const STATE_KEY = "holdfast-migrating/state";

/** What the old store has under a key. */
export type Old =
  | { readonly kind: "absent" }
  /** A record: the old store has the say about this key. */
  | { readonly kind: "record"; readonly value: string; readonly etag: string }
  /** A mark: the new store has the say, for good. */
  | { readonly kind: "mark"; readonly token: string };

/** What the new store has under a key. */
export type New =
  | { readonly kind: "absent" }
  | { readonly kind: "record"; readonly value: string; readonly etag: string }
  /** A copy of the version `from` of the old store; counts once a mark there names its token. */
  | {
    readonly kind: "copy";
    readonly value: string;
    readonly etag: string;
    readonly token: string;
    readonly from: string;
  }
  /** What a migration in the other direction has left. */
  | { readonly kind: "leftover"; readonly etag: string };

interface Head {
  readonly mark?: string;
  readonly copy?: string;
  readonly from?: string;
}

/** Tells whether a text could be taken for one of the migration. */
export function isReserved(value: unknown): boolean {
  return typeof value === "string" && value.startsWith(PREFIX);
}

/** Writes a mark. */
export function markText(token: string): string {
  return `${PREFIX}${JSON.stringify({ mark: token })}}`;
}

/** Writes a copy: a line that says what it is, then the text as it is. */
export function copyText(token: string, from: string, value: string): string {
  return `${PREFIX}${JSON.stringify({ copy: token, from })}}\n${value}`;
}

/** Writes what the state key has. */
export function stateText(): string {
  return `${PREFIX}${JSON.stringify({ state: "copied" })}}`;
}

/**
 * Reads what the old store has.
 *
 * @throws {HoldfastError} With `ERR_CORRUPT_RECORD`, if it is a text of an unfinished migration.
 */
export function readOld(stored: Stored | undefined): Old {
  if (stored === undefined) return { kind: "absent" };
  if (!isReserved(stored.value)) return { kind: "record", ...stored };
  const token = headOf(stored.value)?.mark;
  if (token !== undefined) return { kind: "mark", token };
  throw new HoldfastError(
    "ERR_CORRUPT_RECORD",
    "Cannot migrate: the old storage has the copy of a migration that was not finished",
  );
}

/** Reads what the new store has. */
export function readNew(stored: Stored | undefined): New {
  if (stored === undefined) return { kind: "absent" };
  if (!isReserved(stored.value)) return { kind: "record", ...stored };
  const { value, etag } = stored;
  const { copy: token, from } = headOf(value) ?? {};
  if (token === undefined || from === undefined) return { kind: "leftover", etag };
  return { kind: "copy", value: value.slice(value.indexOf("\n") + 1), etag, token, from };
}

function headOf(text: string): Head | undefined {
  const end = text.indexOf("\n");
  try {
    const line = end < 0 ? text : text.slice(0, end);
    return Object.values(JSON.parse(line) as Record<string, Head>)[0];
  } catch {
    return undefined;
  }
}
