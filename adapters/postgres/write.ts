import type { DeleteResult, PutOptions, PutResult } from "../../src/ports/storage.ts";
import type { PostgresSql } from "./connect.ts";
import {
  arrayLiteral,
  COLUMNS,
  encodeText,
  type Kind,
  KINDS,
  type Statements,
} from "./statements.ts";

/** A write that waits for its transaction. */
export interface Write {
  readonly key: string;
  /** The text; `undefined` to delete. */
  readonly value: string | undefined;
  readonly conditions: PutOptions;
}

/** Outcome of a put or a delete; the etag of a delete means nothing. */
export type WriteResult = PutResult & DeleteResult;

/** What writes are carried out with. */
export interface Writer {
  readonly sql: PostgresSql;
  readonly statements: Statements;
  readonly prepare: boolean;
  /** Gives an etag that was never used. */
  readonly nextEtag: () => string;
}

/** A write with the name its version will have. */
export interface Named<W extends Write = Write> {
  readonly write: W;
  readonly etag: string;
}

/**
 * Carries out writes in one transaction.
 *
 * @param writer The database.
 * @param batch No two of them on one key.
 * @returns The keys whose condition held; all else was not written.
 */
export async function transact(
  { sql, statements, prepare }: Writer,
  batch: readonly Named[],
): Promise<ReadonlySet<string>> {
  // In the order of the keys, so that two nodes seldom wait for each other.
  const sorted = [...batch].sort((a, b) => a.write.key < b.write.key ? -1 : 1);
  const kinds = KINDS.filter((kind) => sorted.some(({ write }) => kindOf(write) === kind));
  const parameters = kinds.flatMap((kind) =>
    columns(kind, sorted.filter(({ write }) => kindOf(write) === kind))
  );
  const rows = await sql.unsafe(statements.write(kinds), parameters, { prepare });
  return new Set(rows.map((row) => String(row["key"])));
}

function columns(kind: Kind, batch: readonly Named[]): readonly string[] {
  const keys = batch.map(({ write }) => write.key);
  const expected = batch.map(({ write }) => write.conditions.ifMatch ?? null);
  if (kind === "remove") return [keys, expected].map(arrayLiteral);
  const values = batch.map(({ write }) => encodeText(write.value ?? ""));
  const all = [keys, values, batch.map(({ etag }) => etag), expected];
  return all.slice(0, COLUMNS[kind]).map(arrayLiteral);
}

/** Which of the four kinds a write is. */
export function kindOf({ value, conditions }: Write): Kind {
  if (value === undefined) return "remove";
  if (conditions.ifMatch !== undefined) return "replace";
  return conditions.ifNoneMatch === undefined ? "write" : "create";
}

/** Looks up the versions some keys are at now; absent keys are left out. */
export async function etagsOf(
  { sql, statements, prepare }: Writer,
  keys: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const rows = await sql.unsafe(statements.etags, [arrayLiteral(keys)], { prepare });
  return new Map(rows.map((row) => [String(row["key"]), String(row["etag"])]));
}

/** Tells whether the condition of a write holds over a version, `null` for an absent key. */
export function holds(
  { conditions: { ifMatch, ifNoneMatch } }: Write,
  found: string | null,
): boolean {
  if (ifMatch !== undefined) return found === ifMatch;
  return ifNoneMatch === undefined || found === null;
}
