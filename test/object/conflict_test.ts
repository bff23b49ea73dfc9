import { seededRandom } from "../../adapters/testing/seeded_random.ts";
import { assert, assertEquals, assertRejects, test } from "../harness/mod.ts";
import type { Current, Turn } from "../../src/object/types.ts";
import { adding, append, idsOf, key, look, world } from "./world.ts";

const slowPuts = ({ operation }: { operation: string }) =>
  operation === "put" ? { kind: "none", latencyMs: 50 } as const : undefined;

test("[OB6] what nobody has seen the answer of runs again, in order, on the fresh state", async () => {
  const w = world();
  const [one, two] = [w.engine(), w.engine()];
  await w.finish(Promise.all([one.run(key, look), two.run(key, look)]));
  await w.finish(two.run(key, append("rival")));
  w.storage.plan = slowPuts;
  const calls: Promise<readonly string[]>[] = ["a", "b"].map((id) => one.run(key, append(id)));
  await w.clock.advance(10); // On its way with both; the rest comes while it is.
  calls.push(one.run(key, append("c")), one.run(key, look));
  const failing = one.run<readonly string[]>(key, (current) => {
    throw new Error(idsOf(current).join(""));
  });
  calls.push(failing.catch((error: Error) => [error.message]));
  assertEquals(await w.finish(Promise.all(calls)), [
    ["rival", "a"],
    ["rival", "a", "b"],
    ["rival", "a", "b", "c"],
    ["rival", "a", "b", "c"],
    ["rivalabc"],
  ]);
  assertEquals(await w.stored(), ["rival", "a", "b", "c"]);
});

test("[OB6] an answer that has left is not given again", async () => {
  const w = world();
  const [one, two] = [w.engine(), w.engine()];
  let runs = 0;
  const counted = (current: Current) => {
    runs++;
    return adding(current, "a");
  };
  await w.finish(one.run(key, counted));
  await w.finish(two.run(key, append("b"), { fresh: true }));
  assertEquals(await w.finish(one.run(key, append("c"))), ["a", "b", "c"]);
  assertEquals(runs, 1);
});

test("[OB6] a turn that is running when another writer wins runs again too", async () => {
  const w = world();
  const [one, two] = [w.engine(), w.engine()];
  await w.finish(one.run(key, look));
  await w.finish(two.run(key, append("rival")));
  w.storage.plan = slowPuts;
  const before: string[] = [];
  const first = one.run(key, append("a"));
  const slow = one.run(key, async (current) => {
    before.push(idsOf(current).join());
    await new Promise<void>((resolve) => void w.clock.timer(80, resolve));
    return adding(current, "b");
  });
  const rejected = one.run(key, async (current) => {
    await Promise.resolve();
    throw new Error(idsOf(current).join());
  });
  rejected.catch(() => {});
  assertEquals(await w.finish(Promise.all([first, slow])), [["rival", "a"], ["rival", "a", "b"]]);
  assertEquals(before, ["a", "rival,a"]);
  await assertRejects(() => w.finish(rejected), /^rival,a,b$/);
});

test("[OB6] turns that came after the lost race run after those that were in it", async () => {
  const w = world();
  const [one, two] = [w.engine(), w.engine()];
  await w.finish(one.run(key, look));
  await w.finish(two.run(key, append("rival")));
  w.storage.plan = ({ operation }) => ({ kind: "none", latencyMs: operation === "get" ? 50 : 0 });
  const first = one.run(key, append("a"));
  await w.clock.advance(20); // The race is lost, the look at the winner under way.
  const second = one.run(key, append("b"));
  assertEquals(await w.finish(Promise.all([first, second])), [["rival", "a"], ["rival", "a", "b"]]);
});

test("[OB6] a conflict is told to telemetry with the calls that run again", async () => {
  const w = world();
  const [one, two] = [w.engine(), w.engine()];
  await w.finish(one.run(key, look));
  await w.finish(two.run(key, append("rival")));
  await w.finish(Promise.all([one.run(key, append("a")), one.run(key, append("b"))]));
  const conflicts = w.events.filter(({ name }) => name === "holdfast.object.conflict");
  assertEquals(conflicts.map((event) => "calls" in event && event.calls), [2]);
});

test("[OB7] a turn is run again a bounded number of times, then its caller gets ERR_CONFLICT", async () => {
  const w = world();
  const engine = w.engine({ replays: 4 });
  await w.finish(engine.run(key, append("a")));
  w.storage.plan = ({ operation }) => operation === "put" ? "conflict" : undefined;
  let runs = 0;
  const call = engine.run(key, (current) => {
    runs++;
    return adding(current, "b");
  });
  const error = await assertRejects(() => w.finish(call), "ERR_CONFLICT");
  assertEquals([runs, (error as Error & { retryable?: boolean }).retryable], [5, true]);
  assertEquals(await w.stored(), ["a"]);
  w.storage.plan = () => "none";
  assertEquals(await w.finish(engine.run(key, append("c"))), ["a", "c"]);
});

test("[OB7] a turn that came later has its own bound", async () => {
  const w = world();
  const engine = w.engine({ replays: 3 });
  await w.finish(engine.run(key, look));
  w.storage.plan = ({ operation, count }) =>
    operation === "put" && count <= 4 ? { kind: "conflict", latencyMs: 20 } : undefined;
  const first = engine.run(key, append("a"));
  first.catch(() => {});
  await w.clock.advance(30);
  const second = engine.run(key, append("b"));
  await assertRejects(() => w.finish(first), "ERR_CONFLICT");
  assertEquals(await w.finish(second), ["b"]);
});

test("[OB7] two engines in step both get through", async () => {
  const w = world(() => ({ kind: "none", latencyMs: 10 }));
  const engines = [w.engine(), w.engine()];
  const calls = engines.flatMap((engine, e) =>
    Array.from({ length: 50 }, (_, n) => engine.run(key, append(`${e}.${n}`)))
  );
  await w.finish(Promise.all(calls));
  const stored = await w.stored();
  assertEquals([stored.length, new Set(stored).size], [100, 100]);
  for (const e of ["0", "1"]) {
    const mine = stored.filter((id) => id.startsWith(e));
    assert(mine.every((id, n) => id === `${e}.${n}`), mine.join());
  }
});

test("[OB25] two engines that write one object without pause both get on", async () => {
  const random = seededRandom(3);
  // As a network does: no two calls take equally long.
  const w = world(() => ({ kind: "none", latencyMs: 5 + 10 * random.number() }));
  const done = [0, 0];
  let going = true;
  const callers = [w.engine(), w.engine()].map(async (engine, e) => {
    for (let n = 0; going; n++) {
      try {
        await engine.run(key, append(`${e}.${n}`));
        done[e]!++;
      } catch (error) {
        assertEquals((error as { readonly code?: string }).code, "ERR_CONFLICT");
      }
    }
  });
  await w.clock.advance(20_000);
  going = false;
  await w.finish(Promise.all(callers));
  const stored = await w.stored();
  assertEquals(stored.length, new Set(stored).size);
  assertEquals(stored.length, done[0]! + done[1]!);
  assert(Math.min(...done) > stored.length / 10, done.join(" and "));
});

test("[OB26] no writer is kept out over a store whose calls all take equally long", async () => {
  for (const [nodes, latencyMs] of [[2, 10], [5, 1]] as const) {
    const w = world(() => ({ kind: "none", latencyMs }));
    const done = Array.from({ length: nodes }, () => 0);
    let going = true;
    const count: Turn<void> = ({ state }) => {
      const writes = (state?.["writes"] ?? 0) as number;
      return { kind: "write", state: { writes: writes + 1 }, reply: undefined };
    };
    const callers = done.map(async (_, e) => {
      const engine = w.engine();
      while (going) {
        try {
          await engine.run(key, count);
          done[e]!++;
        } catch (error) {
          assertEquals((error as { readonly code?: string }).code, "ERR_CONFLICT");
        }
      }
    });
    await w.clock.advance(1500 * latencyMs);
    going = false;
    await w.finish(Promise.all(callers));
    const all = done.reduce((sum, writes) => sum + writes);
    const share = Math.min(...done) / all;
    assert(share > 1 / (4 * nodes), `${nodes} nodes, ${latencyMs} ms: ${done.join(" ")}`);
  }
});
