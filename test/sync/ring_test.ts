import { Assembler } from "../../src/sync/assemble.ts";
import type { Piece } from "../../src/sync/arena.ts";
import type { Change, Transaction } from "../../src/sync/change.ts";
import { packed } from "../../src/sync/packed.ts";
import { Pgoutput } from "../../src/sync/pgoutput.ts";
import { type Field, UNCHANGED } from "../../src/sync/relation.ts";
import { Ring } from "../../src/sync/ring.ts";
import { Table } from "../../src/sync/table.ts";
import { fieldsOf, type Tuple, TupleBytes } from "../../src/sync/tuple.ts";
import { assert, assertEquals, assertThrows, test } from "../harness/mod.ts";
import { bytes, int16, int32, int64, text, tuple } from "./fixtures/messages.ts";

const names = ["org", "id", "note"];
const columns = names.map((name) => ({ name, type: name === "note" ? 25 : 23 }));
const limits = { transactions: 1000, changes: 100_000 };

/** A table, and its log as transactions; each message is overwritten as soon as it was taken. */
function log() {
  const info = { alias: "docs", schema: "public", name: "docs", id: ["id"], key: "org" };
  const table = new Table({ ...info, keyType: "integer", columns });
  const assembler = new Assembler({
    tableOf: () => table,
    tables: () => [table],
    maxChanges: Infinity,
  });
  const decoder = new Pgoutput();
  const take = (message: Uint8Array) => {
    const transaction = assembler.take(decoder.read(message), message);
    message.fill(0);
    return transaction;
  };
  const described = columns.map(({ name, type }) =>
    bytes(name === "note" ? "\0" : "\x01", text(name), int32(type), int32(-1))
  );
  let seq = 0;
  /** One transaction of these messages. */
  const transaction = (...messages: readonly Uint8Array[]): Transaction => {
    take(bytes("B", int64(0n), int64(0n), int32(700 + seq)));
    if (seq === 0) {
      const head = [int32(1), text("public"), text("docs"), "i", int16(names.length)];
      take(bytes("R", ...head, ...described));
    }
    for (const message of messages) take(message);
    const made = take(bytes("C", "\0", int64(BigInt(++seq)), int64(BigInt(seq)), int64(0n)));
    return { ...made!, epoch: "one", seq };
  };
  return { table, transaction };
}

const insert = (...fields: readonly Field[]) => bytes("I", int32(1), "N", tuple(...fields));
const remove = (...fields: readonly Field[]) => bytes("D", int32(1), "K", tuple(...fields));
const update = (before: readonly Field[] | undefined, ...after: readonly Field[]) => {
  const old = before === undefined ? [] : ["K", tuple(...before)];
  return bytes("U", int32(1), ...old, "N", tuple(...after));
};

const KILOBYTE = "a kilobyte of text ".repeat(54);

const many = (count: number, note = KILOBYTE) =>
  Array.from({ length: count }, (_, id) => insert("7", String(id), note));

function read(tuple: Tuple | undefined): readonly Field[] | undefined {
  return tuple && fieldsOf(tuple);
}

/** A change as values. */
function whole(change: Change): object {
  const before = "before" in change ? { before: read(change.before) } : {};
  return { ...change, ...before, ..."after" in change && { after: read(change.after) } };
}

/** The last column of its new row. */
function noteOf(change: Change): Field | undefined {
  return "after" in change ? read(change.after)?.at(-1) : undefined;
}

function piecesOf({ changes }: Transaction): readonly Piece[] {
  return changes.flatMap((change) =>
    "after" in change && change.after instanceof TupleBytes ? [change.after.piece!] : []
  );
}

test("[SY17] what a ring keeps of a large transaction is what it was given", () => {
  const { transaction } = log();
  const given = transaction(
    ...many(20),
    update(undefined, "7", "3", UNCHANGED),
    update(["7", "4", null], "8", "4", "moved"),
    update(["7", "5", "old"], "7", "5", UNCHANGED),
    remove("7", "6", null),
    insert("7", "21", "x".repeat(50_000)),
    bytes("T", int32(1), "\0", int32(1)),
    ...many(20, "naïve"),
    remove("7", "6", null),
    update(["7", "4", null], "8", "4", "moved"),
  );
  const kept = packed(given);
  assert(kept !== given);
  // Twice: nothing of it is used up.
  for (let i = 0; i < 2; i++) assertEquals(kept.changes.map(whole), given.changes.map(whole));
  const { commitLsn, endLsn, xid, seq, weight, overflowed, hold } = given;
  const position = { epoch: "one", commitLsn, endLsn, xid, seq, weight, overflowed, hold };
  for (const [name, value] of Object.entries(position)) {
    assertEquals(kept[name as keyof typeof position], value);
  }
});

test("[SY17] a change with a completed row, and one of no row, are kept as they are", () => {
  const { table, transaction } = log();
  const given = transaction(...many(20), update(["7", "3", "x"], "7", UNCHANGED, "new"));
  const schema = { kind: "schema", table } as const;
  const mixed = { ...given, changes: [schema, ...given.changes, { ...schema, kind: "truncate" }] };
  const kept = packed(mixed as Transaction);
  assertEquals(kept.changes.map(whole), (mixed as Transaction).changes.map(whole));
});

test("[SY17] memory of transactions that queries see is used again, and holds for the next", () => {
  const { transaction } = log();
  const ring = new Ring(limits);
  const pieces = new Set<Piece>();
  for (let round = 0; round < 100; round++) {
    const next = transaction(...many(100, `round ${round}`.repeat(100)));
    ring.add(next);
    for (const piece of piecesOf(next)) pieces.add(piece);
    for (const { changes, seq } of ring.transactions) {
      const notes = new Set(changes.map(noteOf));
      assertEquals([...notes], [`round ${seq - 1}`.repeat(100)]);
    }
    // All but the last two.
    ring.prune({ xmin: 0, xmax: 700 + round - 1, underway: new Set() });
    assertEquals(ring.transactions.length, Math.min(2, round + 1));
  }
  // Of each transaction some 6 pieces; without use of the same again they would be 600.
  assert(pieces.size < 30, String(pieces.size));
});

test("[SY17] small transactions that share memory keep it until the last has gone", () => {
  const { transaction } = log();
  const ring = new Ring({ ...limits, transactions: 40 });
  const pieces = new Set<Piece>();
  for (let round = 0; round < 2000; round++) {
    const next = transaction(insert("7", String(round), `note ${round} `.repeat(20)));
    ring.add(next);
    for (const piece of piecesOf(next)) pieces.add(piece);
    for (const { changes, seq } of ring.transactions) {
      assertEquals(changes.map(noteOf), [`note ${seq - 1} `.repeat(20)]);
    }
  }
  assert(pieces.size < 10, String(pieces.size));
});

test("[SY17] a row whose memory was given back is refused, before another's is read for it", () => {
  const { transaction } = log();
  const ring = new Ring(limits);
  const given = transaction(insert("7", "1", "ours"));
  ring.add(given);
  const [change] = given.changes;
  assert(change?.kind === "insert");
  assertEquals(read(change.after), ["7", "1", "ours"]);
  ring.clear();
  const { after } = change;
  assert(after instanceof TupleBytes);
  for (const look of [() => after.fields(), () => after.at(0)]) {
    assertThrows(look, (error) => error instanceof RangeError);
  }
});

test("[SY17] what a ring has no room for can be read by those it is handed to next", () => {
  const { transaction } = log();
  const ring = new Ring({ transactions: 1000, changes: 8 });
  const large = transaction(...many(30));
  ring.add(large);
  assertEquals(ring.transactions, []);
  transaction(...many(30, "later"));
  assertEquals(large.changes.map(noteOf), Array(30).fill(KILOBYTE));
});
