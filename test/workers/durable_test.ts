import { durableObjectStorage, ownStorage } from "../../adapters/cloudflare/mod.ts";
import { assert, assertEquals, assertThrows, skip, test } from "../harness/mod.ts";
import type { TestContext } from "../harness/mod.ts";
import type { Outcome } from "./fixtures/suite.ts";
import { folderFor, noWorkerd, start } from "./fixtures/workerd.ts";

const objects = { STORE: "HoldfastStore", OWN: "Own", ROOM: "Rooms" };

async function open(t: TestContext, disk?: string) {
  const options = { objects, compatibilityFlags: ["nodejs_compat"] };
  const worker = await start(t, "durable.ts", options, disk);
  const get = async (path: string): Promise<unknown> =>
    await (await fetch(`${worker.url}/${path}`)).json();
  return { get, kill: worker.kill };
}

test("[CF6] arguments that make no sense are refused", () => {
  const namespace = { idFromName: (name: string) => name, get: () => ({ fetch }) };
  const none = undefined as never;
  assertThrows(() => durableObjectStorage(none), (error) => error instanceof TypeError);
  assertThrows(() => ownStorage({} as never), (error) => error instanceof TypeError);
  for (const name of ["", "a/b", "x".repeat(65)]) {
    assertThrows(
      () => durableObjectStorage(namespace as never, { name }),
      (error) => error instanceof TypeError,
    );
  }
  for (const shards of [0, 257, 1.5, NaN]) {
    assertThrows(
      () => durableObjectStorage(namespace as never, { shards }),
      (error) => error instanceof RangeError,
    );
  }
});

if (noWorkerd === undefined) {
  for (const [what, path] of [["Durable Objects", "suite"], ["its own storage", "own"]]) {
    test(`[CF1] the storage contract holds on workerd for ${what}`, async (t) => {
      const outcomes = await (await open(t)).get(`${path}`) as readonly Outcome[];
      assert(outcomes.length > 30, `only ${outcomes.length} rules were tried`);
      assertEquals(outcomes.filter(({ error }) => error !== undefined), []);
    }, { timeoutMs: 60_000 });
  }

  test("[CF2] what was acknowledged is there after a kill, and with it its etag", async (t) => {
    const disk = await folderFor(t);
    const first = await open(t, disk);
    const put = await first.get("put/k") as { readonly ok: boolean; readonly etag: string };
    assertEquals(put.ok, true);
    await first.kill();
    const second = await open(t, disk);
    assertEquals(await second.get("get/k"), { value: "1", etag: put.etag });
    assertEquals(await second.get("put/k"), { ok: false, found: put.etag });
  });

  test("[CF3] another number of shards is refused once something is stored", async (t) => {
    const { get } = await open(t);
    await get("put/a");
    for (const call of ["other/a", "other/b", "other/c", "other/d", "otherList"]) {
      const { code, outcome, message } = await get(call) as Record<string, string>;
      assertEquals([code, outcome], ["ERR_STORAGE_UNAVAILABLE", "none"]);
      assert(message?.includes("it is one of 16 stores, and not of 2"), message);
    }
    assertEquals((await get("get/a") as { readonly value: string }).value, "1");
  });

  test("[CF4] a lost answer leaves a write unknown", async (t) => {
    const { get } = await open(t);
    await get("put/k");
    const lost = await get("lostPut/k") as Record<string, string>;
    assertEquals([lost["code"], lost["outcome"]], ["ERR_STORAGE_UNAVAILABLE", "unknown"]);
    assertEquals((await get("get/k") as { readonly value: string }).value, "3");
    assertEquals((await get("lostGet/k") as Record<string, string>)["outcome"], "none");
  });

  test("[CF5] one holdfast in a Durable Object answers many requests at once, each once", async (t) => {
    const disk = await folderFor(t);
    const first = await open(t, disk);
    const counts = await Promise.all(Array.from({ length: 40 }, () => first.get("room")));
    assertEquals(new Set(counts).size, 40);
    assertEquals(Math.max(...counts as number[]), 40);
    await first.kill();
    assertEquals(await (await open(t, disk)).get("room"), 41);
  });
} else {
  skip("[CF1] the storage contract holds on workerd", noWorkerd);
  skip("[CF2] what was acknowledged is there after a kill, and with it its etag", noWorkerd);
  skip("[CF3] another number of shards is refused once something is stored", noWorkerd);
  skip("[CF4] a lost answer leaves a write unknown", noWorkerd);
  skip(
    "[CF5] one holdfast in a Durable Object answers many requests at once, each once",
    noWorkerd,
  );
}
