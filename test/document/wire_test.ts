import fc from "fast-check";
import { afterDocumentClose } from "../../src/client/document/closing.ts";
import { documentCloseCode } from "../../src/document/connection.ts";
import { encodeCatchUp, readClientFrame } from "../../src/document/wire.ts";
import { assert, assertEquals, test } from "../harness/mod.ts";

const client = "0123456789abcdef";

test("[DC7] frames are read as they are meant, and nothing else passes for one", () => {
  const read = (frame: unknown) => readClientFrame(JSON.stringify(frame), 1000);
  assertEquals(read({ t: "join", v: 1, client, more: 1 }), { t: "join", v: 1, client });
  const since = { epoch: "e", seq: 4 };
  assertEquals(read({ t: "join", v: 1, client, since }), { t: "join", v: 1, client, since });
  assertEquals(read({ t: "join", v: 1, vsn: 2, client }), { t: "join", v: 1, client, vsn: 2 });
  assertEquals(read({ t: "op", seq: 1, op: { a: 1 } }), { t: "op", seq: 1, op: { a: 1 } });
  assertEquals(read({ t: "undo", seq: 2 }), { t: "undo", seq: 2 });
  assertEquals(read({ t: "here", data: null }), { t: "here", data: null });
  assertEquals(read({ t: "ping", n: 1 }), { t: "ping", n: 1 });
  for (
    const bad of [
      null,
      [],
      {},
      { t: "join", v: "1", client },
      { t: "join", v: 1, client: "short" },
      { t: "join", v: 1, vsn: "2", client },
      { t: "join", v: 1, vsn: -1, client },
      { t: "join", v: 1, client, since: { epoch: 1, seq: 1 } },
      { t: "join", v: 1, client, since: { epoch: "e", seq: -1 } },
      { t: "op", seq: 1 },
      { t: "op", seq: 1.5, op: 1 },
      { t: "redo" },
      { t: "here" },
      { t: "ping" },
      { t: "toString" },
    ]
  ) assertEquals(typeof read(bad), "string", JSON.stringify(bad));
  assertEquals(typeof readClientFrame("{", 1000), "string");
  assertEquals(typeof read({ t: "here", data: "x".repeat(1000) }), "string");
  assertEquals(typeof readClientFrame('{"t":"here","data":{"__proto__":1}}', 1000), "string");
  fc.assert(fc.property(fc.string(), (text) => typeof readClientFrame(text, 1000) === "string"));
});

test("[DC7] a state is encoded once, as JSON would", () => {
  const state = { items: ["kelp"] };
  const catchUp = { kind: "snapshot" as const, seq: 3, state };
  for (let time = 0; time < 2; time++) {
    assertEquals(JSON.parse(encodeCatchUp({ t: "joined" }, catchUp).join("")), {
      t: "joined",
      catchUp,
    });
  }
});

test("[DC5] a large state is put into parts once, for all who join", () => {
  const items = Array.from({ length: 9000 }, (_, n) => `"kelp" ${n} ä\u{1f30a}`);
  let written = 0;
  const state = {
    get items() {
      written++;
      return items;
    },
  };
  const encode = (you: string, seq: number) =>
    encodeCatchUp({ t: "joined", you }, { kind: "snapshot", seq, state });
  const [ada, bob] = [encode("ada", 3), encode("bob", 3)];
  for (const [you, frames] of [["ada", ada], ["bob", bob]] as const) {
    const parts = frames.map((frame): { left: number; text: string } => JSON.parse(frame));
    assertEquals(parts.map(({ left }) => left), parts.map((_, n) => parts.length - 1 - n));
    assertEquals(JSON.parse(parts.map(({ text }) => text).join("")), {
      t: "joined",
      you,
      catchUp: { kind: "snapshot", seq: 3, state: { items } },
    });
  }
  assertEquals(written, 1);
  assert(ada.length > 3 && ada.slice(1).every((frame, n) => frame === bob[n + 1]));
});

test("[DC7] a client comes back unless it makes no sense", () => {
  const next = (code: number) => afterDocumentClose(code).next;
  const { replaced, rate, silent, unauthorized, ...final } = documentCloseCode;
  assertEquals(Object.values(final).map(next), Object.values(final).map(() => "stop"));
  assertEquals(next(replaced), "replaced");
  assertEquals([1000, 1001, 1006, 1011, 1012, 1013, silent, unauthorized, rate].map(next), [
    ...Array.from({ length: 9 }, () => "retry"),
  ]);
  const busy = afterDocumentClose(rate);
  assert(busy.next === "retry" && busy.afterMs >= 5000);
});
