import { isJsonObject } from "../core/json.ts";
import type { Change, Position, Transaction } from "./change.ts";
import type { Column, Field, Relation } from "./relation.ts";
import { UNCHANGED } from "./relation.ts";
import type { Table } from "./table.ts";
import { fieldsOf, type Tuple } from "./tuple.ts";
import type { XidList } from "./xids.ts";

/** A table as nodes name it to each other: where it is, and which column says whom a row belongs to. */
export type WireTable = readonly [schema: string, name: string, key: string];

/** Told to all nodes: who follows a log and looks for its leader, who leads, who has just stopped. */
export interface Notice {
  readonly kind: "sync.seek" | "sync.lead" | "sync.left";
  /** Names the log; nodes of several may be told of each other. */
  readonly log: string;
  readonly from: string;
}

/** Asks a leader to be handed what it reads. */
export interface Attach {
  readonly kind: "sync.attach";
  readonly log: string;
  readonly from: string;
  /** What the name of the session is to begin with, before a dot. */
  readonly session: string;
  /** What the follower watches; the messages that follow name tables by their place in it. */
  readonly tables: readonly WireTable[];
}

/** A key of a table, by its place. */
export type WireKey = readonly [table: number, key: string];

/** Asks for the rows of some keys, from now on, and no more for those of others. */
export interface Cover {
  readonly kind: "sync.cover";
  readonly session: string;
  /** Counts them: none is heeded that comes late. */
  readonly number: number;
  readonly add: readonly WireKey[];
  readonly drop: readonly WireKey[];
}

/** A follower is about to go. */
export interface Leave {
  readonly kind: "sync.leave";
  readonly session: string;
}

/** What a leader has read, each thing with a number that is one more than that of the thing before. */
export interface Batch {
  readonly kind: "sync.rows";
  readonly session: string;
  /** Number of the first of them. */
  readonly first: number;
  readonly items: readonly Item[];
  /** How far behind the leader is, in ms, if it knows. */
  readonly lagMs?: number;
}

/** One of the things a leader tells. */
export type Item =
  | { readonly kind: "began"; readonly epoch: string; readonly suspects: XidList }
  | { readonly kind: "ended" }
  | { readonly kind: "resumed" }
  /** A transaction, or a part of one if more follows: its place in the log, and what it did. */
  | {
    readonly kind: "rows";
    readonly at: readonly [commitLsn: string, endLsn: string, xid: number, seq: number];
    readonly changes: readonly WireChange[];
    readonly overflowed: readonly number[];
    readonly more: boolean;
  };

type WireTuple = readonly (string | null | 0)[];

/** What happened to one row or table; first the columns of a table, whenever they are others. */
export type WireChange =
  | readonly ["columns", table: number, relation: number, columns: readonly WireColumn[]]
  | readonly ["insert", table: number, after: WireTuple]
  | readonly ["update", table: number, before: WireTuple | 0, after: WireTuple]
  | readonly ["delete", table: number, before: WireTuple]
  | readonly ["truncate", table: number];

type WireColumn = readonly [name: string, type: number, identity: boolean];

/** What is asked of a node. */
export type Request = Attach | Cover | Leave | Batch;

/** Answers of a leader. */
export type LeaderAnswer =
  | {
    readonly ok: true;
    readonly session: string;
    readonly epoch: string;
    /** What a query that begins now may not see, of the keys that were asked for. */
    readonly suspects: XidList;
  }
  /** It does not lead, or not with these tables. */
  | { readonly ok: false; readonly why: "not leading" | "other tables" };

/** What a follower answers to a batch. */
export type BatchAnswer =
  | { readonly ok: true; readonly next: number; readonly busy: boolean }
  /** It follows no such session any more. */
  | { readonly ok: false };

const toWire = (tuple: Tuple): WireTuple =>
  fieldsOf(tuple).map((field) => field === UNCHANGED ? 0 : field);
const fromWire = (field: string | null | 0): Field => field === 0 ? UNCHANGED : field;

/** Writes the columns of a relation. */
export function packColumns(table: number, { id, columns }: Relation): WireChange {
  return [
    "columns",
    table,
    id,
    columns.map(({ name, type, identity }): WireColumn => [name, type, identity]),
  ];
}

/** Writes a change; `undefined` for one of the form of a table, which its columns tell. */
export function packChange(table: number, change: Change): WireChange | undefined {
  switch (change.kind) {
    case "insert":
      return ["insert", table, toWire(change.after)];
    case "update":
      return [
        "update",
        table,
        change.before === undefined ? 0 : toWire(change.before),
        toWire(change.after),
      ];
    case "delete":
      return ["delete", table, toWire(change.before)];
    case "truncate":
      return ["truncate", table];
    case "schema":
      return undefined;
  }
}

/** Writes where a transaction is. */
export function packPosition(
  { commitLsn, endLsn, xid, seq }: Transaction,
): Extract<Item, { readonly kind: "rows" }>["at"] {
  return [commitLsn.toString(), endLsn.toString(), xid, seq];
}

/** Reads where a transaction is. */
export function unpackPosition(
  [commitLsn, endLsn, xid, seq]: Extract<Item, { readonly kind: "rows" }>["at"],
  epoch: string,
): Position {
  return { epoch, commitLsn: BigInt(commitLsn), endLsn: BigInt(endLsn), xid, seq };
}

/**
 * Reads changes as a node gets them: one of each session, for it remembers the columns of the tables.
 */
export class ChangeUnpacker {
  readonly #tables: readonly Table[];
  readonly #relations: (Relation | undefined)[] = [];

  constructor(tables: readonly Table[]) {
    this.#tables = tables;
  }

  /** The table at a place of the list. */
  table(place: number): Table {
    const table = this.#tables[place];
    if (table !== undefined) return table;
    throw new RangeError(
      "Cannot read what a node has sent: it names a table that was not asked for",
    );
  }

  /**
   * Reads a change; `undefined` if there is none to apply.
   *
   * @throws {RangeError} If it makes no sense here.
   */
  read(wire: WireChange): Change | undefined {
    const [kind, place] = wire;
    const table = this.table(place);
    if (kind === "truncate") return { kind, table };
    if (kind === "columns") {
      const [, , id, columns] = wire;
      const { schema, name } = table.info;
      const named = columns.map(([name, type, identity]): Column => ({ name, type, identity }));
      const relation: Relation = { id, schema, table: name, columns: named };
      this.#relations[place] = relation;
      return table.describe(relation) ? { kind: "schema", table } : undefined;
    }
    const relation = this.#relations[place];
    if (relation === undefined) {
      throw new RangeError("Cannot read what a node has sent: it does not tell the columns first");
    }
    let bytes = 0;
    const tuple = (fields: WireTuple): Tuple => {
      for (const field of fields) bytes += typeof field === "string" ? field.length : 1;
      if (fields.length === relation.columns.length) return fields.map(fromWire);
      throw new RangeError(
        "Cannot read what a node has sent: a row has other columns than its table",
      );
    };
    if (kind === "insert") return { kind, table, relation, after: tuple(wire[2]), bytes };
    if (kind === "delete") return { kind, table, relation, before: tuple(wire[2]), bytes };
    const [, , old, now] = wire;
    const before = old === 0 ? undefined : tuple(old);
    return { kind, table, relation, before, after: tuple(now), bytes };
  }
}

/** Reads a message; `undefined` if it is none of ours. */
export function readNotice(text: string): Notice | undefined {
  const { kind, log, from } = parsed(text);
  const known = kind === "sync.seek" || kind === "sync.lead" || kind === "sync.left";
  return known && isText(log) && isText(from) ? { kind, log, from } : undefined;
}

/** Reads what another node asks for; `undefined` if it is nothing of ours. */
export function readRequest(text: string): Request | undefined {
  const message = parsed(text);
  const { kind, session } = message;
  if (!isText(session)) return undefined;
  const fine = kind === "sync.attach"
    ? isText(message["log"]) && isText(message["from"]) && listOf(message["tables"], isTable)
    : kind === "sync.cover"
    ? isCount(message["number"]) && listOf(message["add"], isKey) &&
      listOf(message["drop"], isKey)
    : kind === "sync.rows"
    ? isCount(message["first"]) && listOf(message["items"], isItem) && isLag(message["lagMs"])
    : kind === "sync.leave";
  // Checked above, member by member.
  return fine ? message as unknown as Request : undefined;
}

/** Reads the answer of a leader; `undefined` if it is none. */
export function readLeaderAnswer(text: string): LeaderAnswer | undefined {
  const message = parsed(text);
  const { ok, session, epoch, suspects, why } = message;
  const fine = ok === true
    ? isText(session) && isText(epoch) && isXids(suspects)
    : ok === false && (why === "not leading" || why === "other tables");
  return fine ? message as unknown as LeaderAnswer : undefined;
}

/** Reads the answer to a batch; `undefined` if it is none. */
export function readBatchAnswer(text: string): BatchAnswer | undefined {
  const message = parsed(text);
  const { ok, next, busy } = message;
  const fine = ok === true ? isCount(next) && typeof busy === "boolean" : ok === false;
  return fine ? message as unknown as BatchAnswer : undefined;
}

function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : {};
  } catch {
    return {};
  }
}

const isText = (value: unknown): value is string => typeof value === "string";

const isCount = (value: unknown): value is number =>
  Number.isSafeInteger(value) && Number(value) >= 0;

const isLag = (value: unknown): boolean => value === undefined || Number.isFinite(value);

function listOf(value: unknown, is: (one: unknown) => boolean): value is readonly unknown[] {
  return Array.isArray(value) && value.every(is);
}

const isTable = (value: unknown): boolean => listOf(value, isText) && value.length === 3;

const isKey = (value: unknown): boolean =>
  Array.isArray(value) && value.length === 2 && isCount(value[0]) && isText(value[1]);

function isXids(value: unknown): boolean {
  if (!isJsonObject(value)) return false;
  return listOf(value["each"], isCount) && (value["upTo"] === undefined || isCount(value["upTo"]));
}

function isItem(value: unknown): boolean {
  if (!isJsonObject(value)) return false;
  const { kind, at, changes, overflowed, more, epoch, suspects } = value;
  if (kind === "began") return isText(epoch) && isXids(suspects);
  if (kind !== "rows") return kind === "ended" || kind === "resumed";
  return Array.isArray(at) && at.length === 4 && isLsn(at[0]) && isLsn(at[1]) && isCount(at[2]) &&
    isCount(at[3]) && listOf(changes, isChange) && listOf(overflowed, isCount) &&
    typeof more === "boolean";
}

const isLsn = (value: unknown): boolean => isText(value) && /^\d{1,20}$/.test(value);

const isTuple = (value: unknown): boolean =>
  listOf(value, (field) => isText(field) || field === null || field === 0);

function isChange(value: unknown): boolean {
  if (!Array.isArray(value) || !isCount(value[1])) return false;
  const [kind, , one, other] = value;
  if (kind === "insert" || kind === "delete") return value.length === 3 && isTuple(one);
  if (kind === "update") return value.length === 4 && (one === 0 || isTuple(one)) && isTuple(other);
  if (kind === "columns") return value.length === 4 && isCount(one) && listOf(other, isColumn);
  return kind === "truncate" && value.length === 2;
}

const isColumn = (value: unknown): boolean =>
  Array.isArray(value) && value.length === 3 && isText(value[0]) && isCount(value[1]) &&
  typeof value[2] === "boolean";
