import fc from "fast-check";
import { assert, assertEquals, assertThrows, test } from "../harness/mod.ts";
import { readFrame, writeStatus } from "../../src/sync/frames.ts";
import { formatLsn, parseLsn } from "../../src/sync/lsn.ts";
import { type Message, Pgoutput } from "../../src/sync/pgoutput.ts";
import { type Field, UNCHANGED } from "../../src/sync/relation.ts";
import { RowReader } from "../../src/sync/row.ts";
import { parseSnapshot, sees, widen } from "../../src/sync/snapshot.ts";
import { Arena } from "../../src/sync/arena.ts";
import { TupleBytes } from "../../src/sync/tuple.ts";
import { Xids } from "../../src/sync/xids.ts";
import { bytes, field, int16, int32, int64, text, tuple } from "./fixtures/messages.ts";

/** A message with its rows read. */
function whole(message: Message): object {
  const rows = Object.entries(message).filter(([, value]) => value instanceof TupleBytes);
  return { ...message, ...Object.fromEntries(rows.map(([name, row]) => [name, row.fields()])) };
}

const samples: Readonly<Record<string, readonly [Uint8Array, object]>> = {
  begin: [
    bytes("B", int64(0x1_0000_0002n), int64(5n), int32(4_000_000_000)),
    { kind: "begin", finalLsn: 0x1_0000_0002n, xid: 4_000_000_000 },
  ],
  commit: [
    bytes("C", "\0", int64(7n), int64(9n), int64(5_999n)),
    { kind: "commit", commitLsn: 7n, endLsn: 9n, committedAt: Date.UTC(2000, 0, 1) + 5 },
  ],
  relation: [
    bytes(
      "R",
      int32(17),
      text("public"),
      text("größe"),
      "i",
      int16(2),
      ...["\x01", text("id"), int32(23), int32(-1)],
      ...["\0", text("note"), int32(25), int32(-1)],
    ),
    {
      kind: "relation",
      relation: {
        id: 17,
        schema: "public",
        table: "größe",
        columns: [
          { name: "id", type: 23, identity: true },
          { name: "note", type: 25, identity: false },
        ],
      },
    },
  ],
  insert: [
    bytes("I", int32(17), "N", tuple("1", "naïve text that is longer than a dozen", null, "")),
    {
      kind: "insert",
      relation: 17,
      after: ["1", "naïve text that is longer than a dozen", null, ""],
    },
  ],
  update: [
    bytes("U", int32(17), "N", tuple("1", UNCHANGED)),
    { kind: "update", relation: 17, before: undefined, after: ["1", UNCHANGED] },
  ],
  "update of the identity": [
    bytes("U", int32(17), "K", tuple("1", null), "N", tuple("2", "é")),
    { kind: "update", relation: 17, before: ["1", null], after: ["2", "é"] },
  ],
  "update with the whole old row": [
    bytes("U", int32(17), "O", tuple("1", "a"), "N", tuple("1", "b")),
    { kind: "update", relation: 17, before: ["1", "a"], after: ["1", "b"] },
  ],
  delete: [
    bytes("D", int32(17), "K", tuple("1", null)),
    { kind: "delete", relation: 17, before: ["1", null] },
  ],
  truncate: [
    bytes("T", int32(2), "\x01", int32(17), int32(18)),
    { kind: "truncate", relations: [17, 18] },
  ],
  origin: [bytes("O", int64(1n), text("there")), { kind: "other" }],
};

test("[RL1] every message of pgoutput is read, wherever in its buffer it is", () => {
  const decoder = new Pgoutput();
  for (const [name, [message, expected]] of Object.entries(samples)) {
    assertEquals(whole(decoder.read(message)), expected, name);
    const further = decoder.read(bytes("xyz", message), 3);
    assertEquals(whole(further), expected, `${name}, further back`);
  }
});

test("[RL1] a short text is read as a long one is", () => {
  const decoder = new Pgoutput();
  fc.assert(fc.property(fc.string({ unit: "grapheme", maxLength: 20 }), (value) => {
    const message = decoder.read(bytes("I", int32(1), "N", int16(1), field(value)));
    assertEquals(whole(message), { kind: "insert", relation: 1, after: [value] });
  }));
});

test("[RL1] one field of a row is read without the others, also after its bytes have moved", () => {
  const decoder = new Pgoutput();
  const fields: readonly Field[] = [
    "1",
    null,
    UNCHANGED,
    "naïve text that is longer than a dozen",
    "",
  ];
  const message = bytes("I", int32(17), "N", tuple(...fields));
  const read = decoder.read(message);
  assert(read.kind === "insert", read.kind);
  const { after } = read;
  const look = (): readonly unknown[] => [-1, 0, 1, 2, 3, 4, 5].map((i) => after.at(i));
  const expected = [undefined, ...fields, undefined];
  assertEquals(look(), expected);
  const arena = new Arena();
  arena.copy(bytes("xyz"));
  const start = arena.copy(message);
  after.move(arena.piece, start);
  message.fill(0);
  assertEquals([look(), after.fields()], [expected, fields]);
});

test("[RL2] a message that is cut off, goes on after its end, or is unknown is a RangeError", () => {
  const decoder = new Pgoutput();
  for (const [name, [message]] of Object.entries(samples)) {
    if (name === "origin") continue;
    for (let end = 0; end < message.length; end++) {
      assertThrows(
        () => decoder.read(message.slice(0, end)),
        (error) => error instanceof RangeError,
      );
    }
    assertThrows(() => decoder.read(bytes(message, "x")), (error) => error instanceof RangeError);
  }
  assertThrows(() => decoder.read(bytes("Z")), /of kind 90/);
});

test("[RL2] no bytes at all make the decoder throw anything else, or go on for ever", () => {
  const decoder = new Pgoutput();
  const tag = fc.constantFrom(..."BCRIUDTOYM");
  fc.assert(fc.property(tag, fc.uint8Array({ maxLength: 60 }), (first, rest) => {
    try {
      decoder.read(bytes(first, rest));
    } catch (error) {
      assert(error instanceof RangeError, String(error));
    }
  }));
});

test("[RL3] the envelopes of the stream are read, and a report is written as the server expects it", () => {
  const keepalive = bytes("k", int64(0x16_0000_0001n), int64(1n), "\x01");
  assertEquals(readFrame(keepalive), { kind: "keepalive", sentLsn: 0x16_0000_0001n, reply: true });
  assertEquals(readFrame(bytes("w", int64(1n), int64(2n), int64(3n), "B")), {
    kind: "data",
    start: 25,
  });
  for (const wrong of [bytes("k", int64(1n)), bytes("w", int64(1n)), bytes("x"), bytes()]) {
    assertThrows(() => readFrame(wrong), (error) => error instanceof RangeError);
  }
  const lsn = int64(0x16_0000_0001n);
  const report = bytes("r", lsn, lsn, lsn, int64(1_000_000n), "\x01");
  assertEquals(writeStatus(0x16_0000_0001n, Date.UTC(2000, 0, 1, 0, 0, 1), true), report);
});

test("[RL4] positions are read and written as Postgres does", () => {
  assertEquals(parseLsn("16/B374D848"), 0x16_b374d848n);
  assertEquals([0n, 1n, 0x16_b374d848n].map(formatLsn), ["0/0", "0/1", "16/B374D848"]);
  for (const wrong of ["", "16", "16/", "g/1", "1/2/3", "123456789/1"]) {
    assertThrows(() => parseLsn(wrong), (error) => error instanceof TypeError);
  }
});

test("[RL4] a snapshot sees what is below it and not under way, across the wrap of the ids", () => {
  const wrap = 2 ** 32;
  const snapshot = parseSnapshot(`${5 * wrap - 3}:${5 * wrap + 2}:${5 * wrap - 1},${5 * wrap}`);
  const seen = [-4, -3, -2, -1, 0, 1, 2, 3].map((at) => sees(snapshot, (at + wrap) % wrap));
  assertEquals(seen, [true, true, true, false, false, true, false, false]);
  assertEquals(widen(7, 3 * wrap + 1), 3 * wrap + 7);
  assertEquals(widen(wrap - 1, 3 * wrap + 1), 3 * wrap - 1);
  assertEquals(parseSnapshot("10:10:").underway.size, 0);
  for (const wrong of ["", "1:2", "1:2:x", "1:2:3,"]) {
    assertThrows(() => parseSnapshot(wrong), (error) => error instanceof TypeError);
  }
});

test("[RL4] ids that are waited for are forgotten when they are seen, and never before", () => {
  for (const limit of [3, 1000]) {
    const xids = new Xids(limit);
    for (const xid of [10, 12, 11, 15, 14]) xids.add(xid);
    xids.prune(parseSnapshot("13:16:14"));
    assertEquals(xids.empty, false, "14 is under way");
    xids.prune(parseSnapshot("16:16:"));
    assertEquals(xids.empty, true);
  }
  const [all, unseen] = [new Xids(), new Xids()];
  for (const xid of [1, 2, 3]) all.add(xid);
  unseen.addUnseen(all, parseSnapshot("2:3:2"));
  unseen.prune(parseSnapshot("2:4:2"));
  assertEquals(unseen.empty, false);
  unseen.prune(parseSnapshot("4:4:"));
  assertEquals(unseen.empty, true);
});

test("[SY24] a type of a user is read as the instance reads it, also where that was learned later", () => {
  let known = false;
  const codec = {
    parserOf: (type: number) => known && type === 20_000 ? (value: string) => [value] : undefined,
    propertyOf: (name: string) => name,
  };
  const columns = [{ name: "moods", type: 20_000, identity: false }];
  const reader = new RowReader({ id: 1, schema: "public", table: "t", columns }, codec);
  assertEquals(reader.read(["{ok}"]).row, { moods: "{ok}" });
  known = true;
  assertEquals(reader.read(["{ok}"]).row, { moods: ["{ok}"] });
});
