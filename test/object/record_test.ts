import fc from "fast-check";
import { assert, assertEquals, assertRejects, test } from "../harness/mod.ts";
import { decodeRecord, encodeRecord } from "../../src/object/record.ts";
import type { Current } from "../../src/object/types.ts";
import { append, end, gate, key, look, replacing, world } from "./world.ts";

interface Stored {
  readonly f: number;
  readonly rev: number;
  readonly by: string;
}

test("[OB9] rev grows by one per write, and no two writes have one name", async () => {
  const w = world(({ count }) => count % 3 === 0 ? "lose-answer" : "none");
  const texts: string[] = [];
  const recording = replacing(w.storage, {
    put: async (...args) => {
      texts.push(args[1]);
      return await w.storage.put(...args);
    },
  });
  const [one, two] = [w.engine({}, recording), w.engine({}, recording)];
  for (let n = 0; n < 12; n++) {
    await w.finish((n % 2 === 0 ? one : two).run(key, append(`${n}`), { fresh: true }));
  }
  // A write that is tried again is the same write, and only one of both happens.
  const records = [...new Set(texts)].map((text) => JSON.parse(text) as Stored);
  assertEquals(records.map(({ rev }) => rev), Array.from({ length: 12 }, (_, n) => n + 1));
  assertEquals(new Set(records.map(({ by }) => by)).size, 12);
});

test("[OB9] the same state written by two engines makes two different records", async () => {
  const texts = new Set<string | undefined>();
  for (const nth of [0, 1]) {
    const w = world();
    // In each world the first engine draws the same name, so the other time the second one writes.
    const engine = [w.engine(), w.engine()][nth];
    assert(engine !== undefined);
    await w.finish(engine.run(key, append("a")));
    texts.add((await w.memory.get(key))?.value);
  }
  assertEquals(texts.size, 2);
});

test("[OB9] a turn sees the rev of the record that is or will be stored", async () => {
  const w = world(({ operation }) =>
    operation === "put" ? { kind: "none", latencyMs: 50 } : undefined
  );
  const engine = w.engine();
  const seen: number[] = [];
  const bump = (current: Current) => {
    seen.push(current.rev);
    return append(`${seen.length}`)(current);
  };
  const hold = gate();
  const calls: Promise<unknown>[] = [engine.run(key, async () => {
    await hold.opened;
    return { kind: "keep", reply: 0 } as const;
  })];
  for (let n = 0; n < 3; n++) calls.push(engine.run(key, bump));
  hold.open();
  await w.clock.advance(10); // The first write is on its way with all three.
  for (let n = 0; n < 3; n++) calls.push(engine.run(key, bump));
  await w.finish(Promise.all(calls));
  assertEquals(seen, [0, 1, 1, 1, 2, 2]);
  assertEquals((await w.finish(engine.read(key))).rev, 2);
  await w.finish(engine.run(key, bump));
  assertEquals(seen.at(-1), 2);
});

test("[OB10] what is not a record of ours is reported to turns and readers, and stays", async () => {
  const cases = {
    ERR_CORRUPT_RECORD: [
      "",
      "not json",
      "[]",
      "null",
      '{"state":{}}',
      '{"f":1,"rev":1,"by":"x","state":[]}',
      '{"f":1,"rev":1,"by":"x"}',
      '{"f":1,"rev":1,"by":"x","state":{"__proto__":1}}',
      `{"f":1,"rev":1,"by":"x","state":{"a":"${"x".repeat(2000)}"}}`,
      `{"f":1,"rev":1,"by":"x","state":{"a":${"[".repeat(100)}${"]".repeat(100)}}}`,
    ],
    ERR_NEWER_VERSION: ['{"f":2,"rev":7,"by":"x","state":{"a":1}}', '{"f":2,"rev":7,"new":1}'],
  };
  for (const [code, texts] of Object.entries(cases)) {
    for (const text of texts) {
      const w = world();
      const engine = w.engine({ maxStateBytes: 1000 });
      await w.memory.put(key, text);
      assertEquals((await w.finish(engine.read(key))).problem?.code, code, text);
      const kept = await w.finish(engine.run(key, ({ problem, state, ended }) => ({
        kind: "keep",
        reply: [problem?.code, state, ended],
      })));
      assertEquals(kept, [code, undefined, undefined], text);
      await assertRejects(() => w.finish(engine.run(key, append("a"))), code);
      assertEquals((await w.memory.get(key))?.value, text);
    }
  }
});

test("[OB10] a damaged record can be ended", async () => {
  const w = world();
  const engine = w.engine();
  await w.memory.put(key, "not json");
  assertEquals(await w.finish(engine.run(key, end)), "ended");
  assertEquals((await w.finish(engine.read(key))).ended, w.clock.now());
});

test("[OB10] a record that is damaged while its object is in memory is not overwritten", async () => {
  const w = world();
  const engine = w.engine();
  await w.finish(engine.run(key, append("a")));
  await w.memory.put(key, "not json");
  await assertRejects(() => w.finish(engine.run(key, append("b"))), "ERR_CORRUPT_RECORD");
  assertEquals((await w.memory.get(key))?.value, "not json");
});

test("[OB10] decoding never throws, whatever the text", () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
    const loaded = decodeRecord("e", text, 1000);
    assertEquals(loaded.etag, "e");
    assertEquals(loaded.state === undefined, true);
  }));
});

test("[OB22] every state up to the size limit can be read again", () => {
  const tiny = Array.from({ length: 200_000 }, () => 0);
  const state = { a: tiny.slice(0, 100_000), b: tiny.slice(100_000) };
  const stateText = JSON.stringify(state);
  const text = encodeRecord(1, "x.1", { stateText, ended: undefined });
  const loaded = decodeRecord("e", text, stateText.length);
  assertEquals([loaded.problem, loaded.rev, loaded.by], [undefined, 1, "x.1"]);
  assertEquals((loaded.state?.["b"] as number[]).length, 100_000);
});

test("[OB18] no write replaces the mark of an ended object, from its own engine or another", async () => {
  const w = world();
  const [one, two] = [w.engine(), w.engine()];
  await w.finish(one.run(key, append("a")));
  await w.finish(two.run(key, look));
  assertEquals(await w.finish(one.run(key, end)), "ended");
  const mark = (await w.memory.get(key))?.value;
  await assertRejects(() => w.finish(one.run(key, append("b"))), "ERR_SESSION_ENDED");
  await assertRejects(() => w.finish(two.run(key, append("c"))), "ERR_SESSION_ENDED");
  await assertRejects(() => w.finish(w.engine().run(key, append("d"))), "ERR_SESSION_ENDED");
  assertEquals((await w.memory.get(key))?.value, mark);
});

test("[OB18] ending an ended object again changes nothing", async () => {
  const w = world();
  const engine = w.engine();
  await w.finish(engine.run(key, end));
  const mark = (await w.memory.get(key))?.value;
  await w.clock.advance(1000);
  assertEquals(await w.finish(engine.run(key, end)), "ended");
  assertEquals((await w.memory.get(key))?.value, mark);
});

test("[OB18] an object that ends while a write is under way stays ended", async () => {
  const w = world(({ operation }) =>
    operation === "put" ? { kind: "none", latencyMs: 50 } : undefined
  );
  const [one, two] = [w.engine(), w.engine()];
  await w.finish(Promise.all([one.run(key, append("a")), two.run(key, look)]));
  const ending = one.run(key, end);
  await w.clock.advance(10);
  const [write, behind] = [two.run(key, append("b"), { fresh: true }), one.run(key, append("c"))];
  write.catch(() => {});
  behind.catch(() => {});
  assertEquals(await w.finish(ending), "ended");
  await assertRejects(() => w.finish(write), "ERR_SESSION_ENDED");
  await assertRejects(() => w.finish(behind), "ERR_SESSION_ENDED");
  assertEquals((await w.finish(two.read(key))).ended !== undefined, true);
});

test("[OB18] only the mark of an ended object is purged", async () => {
  const w = world();
  const engine = w.engine();
  assertEquals(await w.finish(engine.purge(key)), { ok: true });
  await w.finish(engine.run(key, append("a")));
  assertEquals((await w.finish(engine.purge(key))).ok, false);
  await w.finish(engine.run(key, end));
  assertEquals(await w.finish(engine.purge(key)), { ok: true });
  assertEquals([w.memory.size, engine.size], [0, 0]);
  assertEquals(await w.finish(engine.run(key, append("b"))), ["b"]);
});

test("[OB18] a purge whose answer was lost has happened", async () => {
  const w = world();
  const engine = w.engine();
  await w.finish(engine.run(key, end));
  w.storage.plan = ({ operation, count }) =>
    operation === "delete" && count === 1 ? "lose-answer" : undefined;
  assertEquals(await w.finish(engine.purge(key)), { ok: true });
  assertEquals(w.memory.size, 0);
});
