import { assert, assertEquals, assertRejects, test } from "../harness/mod.ts";
import type { JsonObject } from "../../src/core/json.ts";
import { Queue } from "../../src/object/queue.ts";
import type { Current } from "../../src/object/types.ts";
import { lateStorage } from "./late_storage.ts";
import { adding, append, gate, idsOf, key, look, world } from "./world.ts";

const slowPuts = (latencyMs = 50) => ({ operation }: { operation: string }) =>
  operation === "put" ? { kind: "none", latencyMs } as const : undefined;

test("[OB1] an object called many times at once is loaded once and has one state", async () => {
  const w = world(() => ({ kind: "none", latencyMs: 10 }));
  const engine = w.engine();
  const calls = Array.from({ length: 100 }, (_, n) => engine.run(key, append(`${n}`)));
  assertEquals(engine.size, 1);
  const last = (await w.finish(Promise.all(calls))).at(-1);
  assertEquals(last, Array.from({ length: 100 }, (_, n) => `${n}`));
  assertEquals(w.events.filter(({ name }) => name === "holdfast.object.activate").length, 1);
  assertEquals(w.storage.calls.get, 1);
});

test("[OB1] objects with different keys do not wait for each other", async () => {
  const w = world();
  const engine = w.engine();
  const stuck = gate();
  const slow = engine.run("k/1", async () => {
    await stuck.opened;
    return { kind: "keep", reply: 0 };
  });
  assertEquals(await w.finish(engine.run("k/2", append("a"))), ["a"]);
  stuck.open();
  await slow;
});

test("[OB2] turns run one after the other, also when they are asynchronous", async () => {
  const w = world();
  const engine = w.engine();
  const log: string[] = [];
  const calls = Array.from({ length: 10 }, (_, n) =>
    engine.run(key, (current) => {
      log.push(`begin ${n}`);
      const decide = () => {
        log.push(`end ${n}`);
        return adding(current, `${n}`);
      };
      if (n % 3 === 0) return decide();
      return new Promise<void>((resolve) => void w.clock.timer(10 - n, resolve)).then(decide);
    }));
  await w.finish(Promise.all(calls));
  assertEquals(log, Array.from({ length: 20 }, (_, n) => `${n % 2 ? "end" : "begin"} ${n >> 1}`));
  assertEquals((await w.stored()).length, 10);
});

test("[OB3] no answer leaves before the state it has seen is durable", async () => {
  const w = world(slowPuts());
  const engine = w.engine();
  const answered: string[] = [];
  const note = (name: string) => async () => {
    answered.push(`${name} after ${(await w.stored()).join("")}`);
  };
  const calls = [
    engine.run(key, append("a")).then(note("write")),
    engine.run(key, look).then(note("look")),
    engine.run(key, () => Promise.reject(new Error("no"))).catch(note("rejection")),
    engine.run(key, () => {
      throw new Error("no");
    }).catch(note("throw")),
  ];
  await w.clock.advance(45);
  assertEquals(answered, []);
  await w.finish(Promise.all(calls));
  assertEquals(answered, ["write after a", "look after a", "rejection after a", "throw after a"]);
});

test("[OB3] an answer waits for the write that contains what it has seen, not for an earlier one", async () => {
  const w = world(slowPuts());
  const engine = w.engine();
  await w.finish(engine.run(key, look));
  let seen: readonly string[] | undefined;
  const first = engine.run(key, append("a"));
  const second = engine.run(key, append("b"));
  void engine.run(key, look).then((ids) => seen = ids);
  await w.finish(first);
  assertEquals([seen, await w.stored()], [undefined, ["a"]]);
  await w.finish(second);
  assertEquals([seen, await w.stored()], [["a", "b"], ["a", "b"]]);
});

test("[OB3] a reader beside the mailbox sees nothing that is not durable", async () => {
  const w = world(slowPuts());
  const engine = w.engine();
  const writing = engine.run(key, append("a"));
  await w.clock.advance(10);
  assertEquals((await w.finish(engine.read(key))).state, undefined);
  await w.finish(writing);
  assertEquals((await w.finish(engine.read(key))).state, { ids: ["a"] });
  assertEquals((await w.finish(engine.peek(key))).state, { ids: ["a"] });
});

test("[OB3] a read that is overtaken by a write does not take its place", async () => {
  const w = world();
  let answerMs = 100;
  const late = lateStorage(w.memory, w.clock, (call) => call === "get" ? { answerMs } : {});
  const engine = w.engine({}, late);
  const reading = engine.read(key);
  await w.clock.advance(1);
  answerMs = 0;
  await w.finish(engine.run(key, append("a")));
  assertEquals((await w.finish(reading)).state, undefined);
  assertEquals(await w.finish(engine.run(key, look)), ["a"]);
});

test("[OB4] one write is under way at a time, and the next has all that came meanwhile", async () => {
  const w = world(slowPuts(30));
  const engine = w.engine();
  let calls = 0;
  for (let at = 0; at < 300; at += 3) {
    void engine.run(key, append(`${at}`));
    calls++;
    await w.clock.advance(3);
    const puts = w.events.filter(({ name }) => name === "holdfast.storage.put");
    const begun = puts.filter((event) => "phase" in event && event.phase === "start").length;
    const underWay = begun - (puts.length - begun);
    assert(underWay === 0 || underWay === 1, `${underWay} writes under way`);
  }
  await w.clock.advance(100);
  assertEquals((await w.stored()).length, calls);
  assert(w.storage.calls.put <= 12, `${w.storage.calls.put} writes`);
});

test("[OB4] what an asynchronous turn decides does not hold up what was decided before", async () => {
  const w = world();
  const engine = w.engine();
  await w.finish(engine.run(key, look));
  const stuck = gate();
  const first = engine.run(key, append("a"));
  const slow = engine.run(key, async (current) => {
    await stuck.opened;
    return adding(current, "b");
  });
  assertEquals(await w.finish(first), ["a"]);
  stuck.open();
  assertEquals(await w.finish(slow), ["a", "b"]);
});

test("[OB4] a turn that keeps the state writes nothing", async () => {
  const w = world();
  const engine = w.engine();
  await w.finish(Promise.all([engine.run(key, look), engine.run(key, look)]));
  await w.finish(engine.read(key));
  assertEquals([w.storage.calls.put, w.memory.size], [0, 0]);
});

test("[OB5] a turn that throws changes nothing", async () => {
  const w = world();
  const engine = w.engine();
  await w.finish(engine.run(key, append("a")));
  const { put } = w.storage.calls;
  const thrown = new Error("mine");
  const turns = [() => {
    throw thrown;
  }, async () => {
    await Promise.resolve();
    throw thrown;
  }];
  for (const turn of turns) {
    assertEquals(await assertRejects(() => w.finish(engine.run(key, turn))) === thrown, true);
  }
  assertEquals(w.storage.calls.put, put);
  assertEquals(await w.finish(engine.run(key, append("b"))), ["a", "b"]);
});

test("[OB23] a turn whose state JSON cannot carry fails, and the object goes on", async () => {
  const w = world();
  const engine = w.engine();
  await w.finish(engine.run(key, append("a")));
  const cyclic: JsonObject = {};
  cyclic["self"] = cyclic;
  const bad = engine.run(key, () => ({ kind: "write", state: cyclic, reply: 0 }));
  await assertRejects(() => w.finish(bad), (error) => error instanceof TypeError);
  assertEquals(await w.finish(engine.run(key, append("b"))), ["a", "b"]);
});

test("[OB14] effects run once, when the state that caused them is durable", async () => {
  const w = world(slowPuts());
  const engine = w.engine();
  const ran: string[] = [];
  const withEffect = (id: string) => (current: Current) => ({
    ...adding(current, id),
    effects: [() => void ran.push(`${id} of ${current.rev}`)],
  });
  const call = engine.run(key, withEffect("a"));
  await w.clock.advance(40);
  assertEquals(ran, []);
  await w.finish(call);
  assertEquals(ran, ["a of 0"]);
  w.storage.plan = ({ operation, count }) =>
    operation === "put" && count === 2 ? "conflict" : undefined;
  await w.finish(engine.run(key, withEffect("b")));
  w.storage.plan = ({ operation }) => operation === "put" ? "lose-answer" : undefined;
  await w.finish(engine.run(key, withEffect("c")));
  assertEquals(ran, ["a of 0", "b of 1", "c of 2"]);
});

test("[OB14] effects of what did not become durable do not run", async () => {
  const w = world(({ operation }) => operation === "put" ? "refuse" : undefined);
  const engine = w.engine();
  let ran = 0;
  const call = engine.run(
    key,
    (current) => ({ ...adding(current, "a"), effects: [() => void ran++] }),
  );
  await assertRejects(() => w.finish(call), "ERR_STORAGE_UNAVAILABLE");
  assertEquals(ran, 0);
});

test("[OB14] what an effect throws reaches telemetry, not the caller or the next effect", async () => {
  const w = world();
  const engine = w.engine();
  let ran = 0;
  const effects = [
    () => {
      throw new Error("at once");
    },
    () => Promise.reject(new Error("later")),
    () => void ran++,
  ];
  assertEquals(await w.finish(engine.run(key, (now) => ({ ...adding(now, "a"), effects }))), ["a"]);
  const failed = w.events.flatMap((event) =>
    event.name === "holdfast.object.effect_failed" ? [String(event.error)] : []
  );
  assertEquals([ran, failed], [1, ["Error: at once", "Error: later"]]);
});

test("[OB14] an effect may call its own object", async () => {
  const w = world();
  const engine = w.engine();
  let inner: Promise<readonly string[]> | undefined;
  const effects = [() => void (inner = engine.run(key, append("b")))];
  const outer = engine.run(key, (now) => ({ ...adding(now, "a"), effects }));
  const beside = engine.run(key, look);
  assertEquals(await w.finish(outer), ["a"]);
  assertEquals(await w.finish(beside), ["a"]);
  assertEquals(await w.finish(inner ?? Promise.reject(new Error("no effect ran"))), ["a", "b"]);
});

test("[OB15] a call to a full mailbox is refused, and held answers count", async () => {
  const w = world(slowPuts());
  const engine = w.engine({ mailbox: 3 });
  await w.finish(engine.run(key, look));
  const accepted = ["a", "b", "c"].map((id) => engine.run(key, append(id)));
  const error = await assertRejects(() => engine.run(key, append("d")), "ERR_MAILBOX_FULL");
  assertEquals((error as Error & { retryable?: boolean }).retryable, true);
  assertEquals(await w.finish(engine.run("k/other", append("x"))), ["x"]);
  await w.finish(Promise.all(accepted));
  assertEquals(await w.finish(engine.run(key, append("e"))), ["a", "b", "c", "e"]);
});

test("[OB15] the mailbox keeps its order, whatever is put at its ends", () => {
  const queue = new Queue<number>();
  const plain: number[] = [];
  let lot = 1;
  for (let n = 0; n < 20_000; n++) {
    lot = (lot * 48271) % 2147483647;
    const growing = Math.floor(n / 4000) % 2 === 0;
    if (lot % 10 < (growing ? 6 : 3)) {
      queue.push(n);
      plain.push(n);
    } else if (lot % 10 === 9) {
      queue.unshift(n);
      plain.unshift(n);
    } else assertEquals(queue.shift(), plain.shift());
    assert(queue.size === plain.length);
  }
  assert(plain.length > 0);
  while (plain.length > 0) assertEquals(queue.shift(), plain.shift());
  assertEquals([queue.shift(), queue.size], [undefined, 0]);
});

test("[OB2] a turn sees what the turns before it decided", async () => {
  const w = world(slowPuts());
  const engine = w.engine();
  const seen = ["a", "b", "c"].map((id) =>
    engine.run(key, (current) => ({ ...adding(current, id), reply: idsOf(current) }))
  );
  assertEquals(await w.finish(Promise.all(seen)), [[], ["a"], ["a", "b"]]);
});
