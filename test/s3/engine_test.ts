import { assert, assertEquals, skip, test } from "../harness/mod.ts";
import { seededRandom } from "../../adapters/testing/mod.ts";
import { webClock } from "../../adapters/web/clock.ts";
import { webRandom } from "../../adapters/web/random.ts";
import { Engine } from "../../src/object/engine.ts";
import type { Storage } from "../../src/ports/storage.ts";
import { append, idsIn, key } from "../object/world.ts";
import { noCeph } from "./fixtures/ceph.ts";
import type { Happening } from "./fixtures/proxy.ts";
import { cephFor, openFor, proxyFor, stubFor } from "./fixtures/servers.ts";

function engineOn(storage: Storage): Engine {
  const ports = { storage, clock: webClock(), random: webRandom(), emit: undefined };
  return new Engine(ports, { storageTimeoutMs: 10_000, replays: 200, mailbox: 2000 });
}

/** Has each engine append ids, in batches; answers those that were acknowledged. */
async function appendAll(engines: readonly Engine[], each: number): Promise<readonly string[]> {
  const acknowledged: string[] = [];
  await Promise.all(engines.map(async (engine, e) => {
    for (let from = 0; from < each; from += 10) {
      const ids = Array.from({ length: 10 }, (_, n) => `${e}.${from + n}`);
      await Promise.all(ids.map(async (id) => {
        const done = await engine.run(key, append(id)).then(() => true, () => false);
        if (done) acknowledged.push(id);
      }));
    }
  }));
  return acknowledged;
}

/** Checks that no acknowledged id is lost, and that none is there twice. */
async function check(storage: Storage, acknowledged: readonly string[]): Promise<void> {
  const stored = idsIn((await storage.get(key))?.value);
  assertEquals(new Set(stored).size, stored.length);
  assertEquals(acknowledged.filter((id) => !stored.includes(id)), []);
}

const faults: readonly Happening[] = [
  "cut-before",
  "cut-after",
  { status: 500, code: "InternalError" },
  { status: 500, code: "InternalError", carriedOut: true },
  { status: 503, code: "SlowDown" },
  { status: 409, code: "ConditionalRequestConflict" },
];

for (const seed of [1, 2, 3]) {
  test(`[SB16] two engines lose nothing and write nothing twice through faults (${seed})`, async (t) => {
    const { proxy, place, direct } = await proxyFor(t);
    const storages = [openFor(t, place), openFor(t, place)];
    await Promise.all(storages.map((storage) => storage.ready()));
    const random = seededRandom(seed);
    proxy.plan = () => faults[Math.floor(random.number() * 5 * faults.length)];
    const acknowledged = await appendAll(storages.map(engineOn), 100);
    assert(acknowledged.length > 50, `only ${acknowledged.length} of 200 were acknowledged`);
    await check(openFor(t, direct), acknowledged);
  });
}

test("[SB16] a thousand calls at once to one object are a few writes", async (t) => {
  const { stub, place } = await stubFor(t);
  const storage = openFor(t, place);
  await storage.ready();
  stub.log.length = 0;
  const engine = engineOn(storage);
  const calls = Array.from({ length: 1000 }, (_, n) => engine.run(key, append(`${n}`)));
  await Promise.all(calls);
  assertEquals(idsIn((await storage.get(key))?.value).length, 1000);
  const puts = stub.log.filter((line) => line.startsWith("PUT"));
  assert(puts.length <= 10, `${puts.length} writes`);
});

if (noCeph === undefined) {
  test("[SB16] two engines on Ceph count to exactly 400", async (t) => {
    const place = await cephFor(t);
    const storages = [openFor(t, place), openFor(t, place)];
    const acknowledged = await appendAll(storages.map(engineOn), 200);
    assertEquals(acknowledged.length, 400);
    assertEquals(idsIn((await storages[0]!.get(key))?.value).length, 400);
    await check(storages[1]!, acknowledged);
  });

  test("[SB16] two engines on Ceph lose nothing through faults", async (t) => {
    const direct = await cephFor(t);
    const { proxy, place } = await proxyFor(t, direct);
    const storages = [openFor(t, place), openFor(t, place)];
    await Promise.all(storages.map((storage) => storage.ready()));
    const random = seededRandom(7);
    proxy.plan = () => faults[Math.floor(random.number() * 5 * faults.length)];
    const acknowledged = await appendAll(storages.map(engineOn), 100);
    assert(acknowledged.length > 50, `only ${acknowledged.length} of 200 were acknowledged`);
    await check(openFor(t, direct), acknowledged);
  });
} else {
  skip("[SB16] two engines on Ceph count to exactly 400", noCeph);
  skip("[SB16] two engines on Ceph lose nothing through faults", noCeph);
}
