import { assert, assertEquals, assertRejects, test } from "../harness/mod.ts";
import { memoryStorage } from "../../adapters/memory/storage.ts";
import { seededRandom } from "../../adapters/testing/seeded_random.ts";
import { createVirtualClock, type VirtualClock } from "../../adapters/testing/virtual_clock.ts";
import { Engine } from "../../src/object/engine.ts";
import type { Current, Decision } from "../../src/object/types.ts";
import type { PutResult, Storage } from "../../src/ports/storage.ts";
import { append, idsIn, key } from "./world.ts";

const memory = memoryStorage();

/** A storage as it is in production, where nobody listens: what of it is used how often. */
function counted(over: Storage = memoryStorage(), putSync = over.putSync): {
  readonly storage: Storage;
  readonly counts: { put: number; putSync: number };
} {
  const counts = { put: 0, putSync: 0 };
  const storage: Storage = {
    get: (...args) => over.get(...args),
    put: (...args) => (counts.put++, over.put(...args)),
    putSync: (...args) => {
      counts.putSync++;
      return putSync?.apply(over, args) as PutResult;
    },
    delete: (...args) => over.delete(...args),
    list: (...args) => over.list(...args),
  };
  return { storage, counts };
}

function engine(
  storage: Storage,
  seed = 1,
  limits = {},
  clock: VirtualClock = createVirtualClock(),
): Engine {
  return new Engine({ storage, clock, random: seededRandom(seed), emit: undefined }, limits);
}

function increment({ state }: Current): Decision<number> {
  const count = Number(state?.["count"] ?? 0) + 1;
  return { kind: "write", state: { count }, reply: count };
}

test("[OB24] calls made together go into one write, and are answered in order", async () => {
  const { storage, counts } = counted();
  const on = engine(storage);
  await on.run(key, increment);
  assertEquals(counts, { put: 0, putSync: 1 });
  const calls = Array.from({ length: 100 }, () => on.run(key, increment));
  const mixed = on.run(key, async (current) => (await Promise.resolve(), increment(current)));
  assertEquals(await Promise.all(calls), Array.from({ length: 100 }, (_, n) => n + 2));
  assertEquals(await mixed, 102);
  // The one that is asynchronous comes a moment later.
  assertEquals(counts, { put: 0, putSync: 3 });
  assertEquals(JSON.parse((await storage.get(key))?.value ?? "").state, { count: 102 });
});

test("[OB24] [OB3] an answer leaves only when the state it has seen is stored", async () => {
  const { storage } = counted();
  const on = engine(storage);
  const stored = async (): Promise<readonly string[]> => idsIn((await storage.get(key))?.value);
  const answered: string[] = [];
  const calls = ["a", "b", "c"].map(async (id) => {
    const ids = await on.run(key, append(id));
    assertEquals((await stored()).slice(0, ids.length), ids);
    answered.push(id);
  });
  assertEquals(answered, []);
  await Promise.all(calls);
  assertEquals(answered, ["a", "b", "c"]);
});

test("[OB24] [OB6] engines that write at once lose nothing to each other", async () => {
  const { storage } = counted();
  const clock = createVirtualClock();
  const engines = [1, 2, 3].map((seed) => engine(storage, seed, { replays: 1000 }, clock));
  const random = seededRandom(7);
  const replies: number[] = [];
  let conflicts = 0;
  const call = async (on: Engine): Promise<void> => {
    const runs: number[] = [];
    const fresh = random.number() < 0.5;
    replies.push(await on.run(key, (current) => (runs.push(1), increment(current)), { fresh }));
    conflicts += runs.length - 1;
  };
  const caller = async (on: Engine): Promise<void> => {
    for (let n = 0; n < 50; n++) {
      await call(on);
      if (random.number() < 0.3) await Promise.resolve();
    }
  };
  let ended = false;
  const all = Promise.all(engines.map(caller)).finally(() => ended = true);
  while (!ended) await clock.advance(5); // turns run again after a pause
  await all;
  assertEquals(replies.toSorted((a, b) => a - b), Array.from({ length: 150 }, (_, n) => n + 1));
  assert(conflicts > 0, "Expected them to get in each other's way");
});

test("[OB24] a storage whose putSync() throws is written to with put()", async () => {
  const { storage, counts } = counted(memory, () => {
    throw new Error("Not now");
  });
  const on = engine(storage);
  assertEquals(await on.run(key, increment), 1);
  assertEquals(await on.run(key, increment), 2);
  assertEquals(counts, { put: 2, putSync: 2 });
});

test("[OB24] [OB23] a state that JSON cannot carry fails its turn, and the next one goes on", async () => {
  const { storage } = counted();
  const on = engine(storage);
  const odd = on.run(key, () => {
    const state = { big: 1n } as unknown as Record<string, never>;
    return { kind: "write", state, reply: 0 };
  });
  await assertRejects(() => odd, (error) => error instanceof TypeError);
  assertEquals(await on.run(key, increment), 1);
});

test("[OB24] [OB16] nothing leaves memory before it is written", async () => {
  const { storage } = counted();
  const on = engine(storage);
  const call = on.run(key, increment);
  assertEquals(on.evict(key), false);
  assertEquals(await call, 1);
  assertEquals(on.evict(key), true);
  assertEquals(await on.run(key, increment), 2);
});
