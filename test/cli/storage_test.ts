import { existsSync, readdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { PEERS, satisfies } from "../../adapters/cli/checks.ts";
import { probeStorage } from "../../adapters/cli/probe.ts";
import { isSamePlace, placeOf } from "../../adapters/cli/storages.ts";
import { fileStorage } from "../../adapters/file/mod.ts";
import { memoryStorage } from "../../adapters/memory/mod.ts";
import { sqliteStorage } from "../../adapters/sqlite/mod.ts";
import { createVirtualClock } from "../../adapters/testing/mod.ts";
import { createHoldfast, defineObject, defineStash, type Storage } from "../../mod.ts";
import { assert, assertEquals, assertRejects, test, type TestContext } from "../harness/mod.ts";
import { temp } from "../adapters/fixtures/temp.ts";
import manifest from "../../package.json" with { type: "json" };
import { run } from "./fixtures/run.ts";

const secrets = ["W2bTqk0vJmXyqkVb4cQb0t7f6mXn3sLr9uYpZaDeHgI"];
const Counter = defineObject({
  name: "counter",
  vsn: 3,
  state: () => ({ count: 0 }),
  handlers: {
    add({ state, schedule }) {
      schedule("later", 60_000);
      return ++state.count;
    },
  },
  alarms: { later() {} },
});
const Cart = defineStash({
  name: "cart",
  vsn: 1,
  stored: ["items"],
  state: () => ({ items: [] as string[] }),
});

/** Three counters and two sessions; answers with what must never be shown. */
async function fill(storage: Storage): Promise<{ readonly cookie: string }> {
  const clock = createVirtualClock();
  const holdfast = createHoldfast({ storage, secrets, clock, sweepEveryMs: Infinity });
  for (const id of ["a", "b/ä", "c"]) await holdfast.object(Counter, id).add();
  const opened = [holdfast.open(null), holdfast.open(null)];
  for (const { session } of opened) {
    const cart = await session.stash(Cart);
    cart.state.items.push("kelp for two");
    await cart.stash();
  }
  const cookie = opened[0]?.seal()?.split(";")[0] ?? "";
  const closed = holdfast.close();
  await clock.advance(20_000);
  await closed;
  return { cookie };
}

async function filled(
  t: TestContext,
): Promise<{ readonly folder: string; readonly cookie: string }> {
  const folder = temp(t);
  return { folder, ...await fill(sqliteStorage(join(folder, "app.db"))) };
}

const HERE = ["--storage", "sqlite:app.db"];

test("[CL7] inspect counts by namespace, kind and class, and shows no id and no value", async (t) => {
  const { folder, cookie } = await filled(t);
  const { code, out } = await run(folder, ["inspect", "sqlite:app.db", "--json"]);
  const report = JSON.parse(out);
  assertEquals([code, report.ok, report.records, report.storage], [0, true, 8, "sqlite:app.db"]);
  const rows = report.groups.map((
    g: Record<string, unknown>,
  ) => [g["kind"], g["class"], g["records"]]);
  assertEquals(rows, [["alarm", "counter", 3], ["object", "counter", 3], ["session", "", 2]]);
  assert(report.bytes > 100, out);
  const text = await run(folder, ["inspect", "sqlite:app.db"]);
  for (const hidden of ["kelp", cookie.split(".")[2] ?? "?", "ä"]) {
    assert(!out.includes(hidden) && !text.out.includes(hidden), text.out);
  }
  assert(/app\/object\/counter +3 +0 +0/.test(text.out), text.out);
  const keys = JSON.parse(
    (await run(folder, ["inspect", "sqlite:app.db", "--no-sizes", "--json"])).out,
  );
  assertEquals([keys.records, keys.bytes], [8, 0]);
});

test("[CL7] inspect ends with 1 if a record is damaged", async (t) => {
  const folder = temp(t);
  const storage = fileStorage(join(folder, "data"));
  await storage.put("app/object/counter/x", "{");
  await storage.close();
  const { code, out } = await run(folder, ["inspect", "file:data", "--json"]);
  assertEquals([code, JSON.parse(out).ok, JSON.parse(out).groups[0].damaged], [1, false, 1]);
});

test("[CL8] list pages, get shows what is stored, delete leaves a mark", async (t) => {
  const { folder } = await filled(t);
  const first = JSON.parse(
    (await run(folder, ["list", "counter", ...HERE, "--limit", "2", "--json"])).out,
  );
  assertEquals(first, { ok: true, class: "counter", ids: ["a", "b/ä"], next: "b/ä" });
  const rest = await run(folder, ["list", "counter", ...HERE, "--after", first.next, "--json"]);
  assertEquals(JSON.parse(rest.out).ids, ["c"]);

  const got = JSON.parse((await run(folder, ["get", "counter", "b/ä", ...HERE, "--json"])).out);
  assertEquals([got.ok, got.vsn, got.state, got.scheduled[0].name], [
    true,
    3,
    { count: 1 },
    "later",
  ]);

  const gone = await run(folder, ["delete", "counter", "a", ...HERE, "--yes", "--json"]);
  assertEquals([gone.code, JSON.parse(gone.out).deleted], [0, true]);
  assertEquals(JSON.parse((await run(folder, ["list", "counter", ...HERE, "--json"])).out).ids, [
    "b/ä",
    "c",
  ]);
  const again = await run(folder, ["delete", "counter", "a", ...HERE, "--yes", "--json"]);
  assertEquals([again.code, JSON.parse(again.out).code], [1, "ERR_UNKNOWN_OBJECT"]);
  assertEquals((await run(folder, ["get", "counter", "a", ...HERE])).code, 1);

  const holdfast = createHoldfast({
    storage: sqliteStorage(join(folder, "app.db")),
    secrets,
    sweepEveryMs: Infinity,
  });
  t.defer(async () => void await holdfast.close());
  const refused = await assertRejects(async () => await holdfast.object(Counter, "a").add());
  assertEquals(refused.code, "ERR_DELETED");
  assertEquals(await holdfast.object(Counter, "c").add(), 2);
});

test("[CL9] what removes or moves records asks first, or needs --yes", async (t) => {
  const { folder } = await filled(t);
  const changing = [
    ["delete", "counter", "a", ...HERE],
    ["sweep", "sqlite:app.db"],
    ["migrate-storage", "sqlite:app.db", "file:new"],
  ];
  for (const args of changing) {
    const alone = await run(folder, args);
    assertEquals(alone.code, 2, args.join(" "));
    assert(alone.error.includes("--yes"), alone.error);
    let asked = "";
    const no = await run(folder, args, { ask: (text) => Promise.resolve((asked = text, "")) });
    assertEquals(no.code, 1, args.join(" "));
    assert(asked.endsWith("[y/N] "), asked);
  }
  const ask = () => Promise.resolve("y");
  assertEquals((await run(folder, ["delete", "counter", "a", ...HERE], { ask })).code, 0);
  const { groups } = JSON.parse((await run(folder, ["inspect", "sqlite:app.db", "--json"])).out);
  assertEquals(groups.map((g: { ended: number }) => g.ended), [0, 1, 0]);
  assert(!existsSync(join(folder, "new")));
});

test("[CL10] sweep ends what has expired under the lifetimes it is told", async (t) => {
  const { folder } = await filled(t);
  const sweep = async (...more: string[]) => {
    const args = ["sweep", "sqlite:app.db", "--yes", "--json", ...more];
    return JSON.parse((await run(folder, args)).out);
  };
  // The sessions were begun on a clock of long ago.
  const ages = [
    "--unconfirmed-ms",
    "900000000000000",
    "--idle-ms",
    "900000000000000",
    "--absolute-ms",
    "900000000000000",
  ];
  assertEquals(await sweep(...ages), {
    ok: true,
    examined: 2,
    ended: 0,
    removed: 0,
    failed: 0,
    reasons: [],
  });
  assertEquals((await sweep()).ended, 2);
  assertEquals(
    (await run(folder, ["sweep", "sqlite:app.db", "--yes", "--idle-ms", "soon"])).code,
    2,
  );
});

test("[CL10] sweep of a storage that was moved away from says that it was", async (t) => {
  const { folder } = await filled(t);
  await run(folder, ["migrate-storage", "sqlite:app.db", "sqlite:new.db", "--yes"]);
  const { code, out } = await run(folder, ["sweep", "sqlite:app.db", "--yes"]);
  assertEquals(code, 1);
  assert(
    /2 failed\n- 2 of them: .*moved to another storage.*\(ERR_CORRUPT_RECORD\)/.test(out),
    out,
  );
  const { reasons } = JSON.parse(
    (await run(folder, ["sweep", "sqlite:app.db", "--yes", "--json"])).out,
  );
  assertEquals(
    reasons.map(({ code, records }: { code: string; records: number }) => [code, records]),
    [["ERR_CORRUPT_RECORD", 2]],
  );
});

test("[CL11] migrate-storage moves everything, a dry run and --verify change nothing", async (t) => {
  const { folder } = await filled(t);
  const move = (...more: string[]) =>
    run(folder, ["migrate-storage", "sqlite:app.db", "file:new", "--json", ...more]);
  const dry = await move("--dry-run");
  assertEquals([dry.code, JSON.parse(dry.out).report.pending], [0, 8]);
  assertEquals(readdirSync(folder).includes("new"), false);

  // One pass, as an interrupted one leaves it, then all of it.
  assertEquals((await move("--phase", "copying", "--yes")).code, 0);
  assertEquals((await move("--verify")).code, 1);
  const done = JSON.parse((await move("--yes")).out);
  assertEquals([done.ok, done.report.complete, done.report.pending], [true, true, 0]);
  assertEquals((await move("--verify")).code, 0);

  const there = ["--storage", "file:new", "--json"];
  assertEquals(JSON.parse((await run(folder, ["list", "counter", ...there])).out).ids, [
    "a",
    "b/ä",
    "c",
  ]);
  assertEquals((await run(folder, ["get", "counter", "c", ...HERE])).code, 1);
  assertEquals((await move("--after", "x", "--yes")).code, 2);
});

test("[CL11] a storage is not moved onto itself, however it is written", async (t) => {
  const { folder } = await filled(t);
  symlinkSync(join(folder, "app.db"), join(folder, "link.db"));
  for (const to of ["app.db", "./app.db", join(folder, "app.db"), "link.db"]) {
    const { code, error } = await run(folder, [
      "migrate-storage",
      "sqlite:app.db",
      `sqlite:${to}`,
      "--yes",
    ]);
    assertEquals([to, code, error.includes("FROM and TO are the same")], [to, 2, true]);
  }
  const shop = "postgres://ada@db/shop";
  const other = "postgres://bob:x@db:5432/shop";
  assert(isSamePlace(placeOf(shop, folder), placeOf(other, folder)));
  const named = `${other}?table=holdfast_records`;
  assert(isSamePlace(placeOf(shop, folder), placeOf(named, folder)), "that is the default");
  assert(!isSamePlace(placeOf(shop, folder), placeOf(`${other}?table=more`, folder)));
  const same = (a: string, b: string): boolean =>
    isSamePlace(placeOf(`s3://${a}`, folder), placeOf(`s3://${b}`, folder));
  assert(same("b/app", "b/app/") && same("b", "b/?pathStyle=1"), "a prefix is a folder");
  assert(!same("b/app", "b/ap") && !same("b/app", "c/app") && !same("b", "b?region=eu-west-1"));
  await run(folder, ["migrate-storage", "sqlite:app.db", "sqlite:used.db", "--yes"]);
  const { folder: full } = await filled(t);
  const used = `sqlite:${join(folder, "used.db")}`;
  const refused = await run(full, ["migrate-storage", "sqlite:app.db", used, "--yes"]);
  assertEquals([refused.code, refused.error.includes("to go on")], [1, false]);
});

test("[CL7] what a migration leaves behind is not taken for damaged", async (t) => {
  const { folder } = await filled(t);
  await run(folder, ["migrate-storage", "sqlite:app.db", "sqlite:new.db", "--yes"]);
  const { code, out } = await run(folder, ["inspect", "sqlite:app.db"]);
  assertEquals(code, 0);
  assert(out.includes("9 of them are marks or copies of a migration"), out);
});

test("[CL8] list tells of more, and of nothing, beside the ids", async (t) => {
  const { folder } = await filled(t);
  const more = await run(folder, ["list", "counter", ...HERE, "--limit", "2"]);
  assertEquals(more, { code: 0, out: "a\nb/ä", error: '(more behind --after "b/ä")' });
  const none = await run(folder, ["list", "countre", ...HERE]);
  assertEquals([none.code, none.out], [0, ""]);
  assert(none.error.includes('nothing is stored of a class "countre" in namespace "app"'));
});

test("[CL4] an option or a command that does not exist is told with the nearest", async (t) => {
  const folder = temp(t);
  const limit = await run(folder, ["list", "counter", "--limt", "2"]);
  assertEquals(limit.code, 2);
  assert(limit.error.startsWith("Cannot run: there is no option --limt; the nearest is --limit"));
  const command = await run(folder, ["inspekt"]);
  assert(command.error.startsWith('There is no command "inspekt"; the nearest is "inspect"'));
  assertEquals((await run(folder, ["--version"])).out, manifest.version);
});

test("[CL11] a bar is shown at a terminal", async (t) => {
  const { folder } = await filled(t);
  const shown: string[] = [];
  const args = ["migrate-storage", "sqlite:app.db", "sqlite:new.db", "--yes"];
  const { code } = await run(folder, args, { progress: (text) => void shown.push(text) });
  assertEquals(code, 0);
  assert(shown.includes(`copying  [${"#".repeat(30)}] 8/8`), shown.join("\n"));
});

/** A store that answers conditions with a yes. */
function careless(): Storage {
  const storage = memoryStorage();
  return {
    ...storage,
    get: (key) => storage.get(key),
    put: (key, value) => storage.put(key, value),
    delete: (key) => storage.delete(key),
    list: (prefix, options) => storage.list(prefix, options),
  };
}

test("[CL12] doctor tells a storage that honours conditions from one that does not", async (t) => {
  const { folder } = await filled(t);
  const good = await run(folder, ["doctor", "sqlite:app.db", "--json"], {
    env: { SECRET: secrets[0] },
  });
  const { ok, checks } = JSON.parse(good.out);
  assertEquals([good.code, ok], [0, true], good.out);
  const named = (name: string) => checks.find((check: { name: string }) => check.name === name);
  assertEquals([named("storage").level, named("secrets").level, named("runtime").level], [
    "ok",
    "ok",
    "ok",
  ]);
  assert(
    /^a write is durable after [\d.]+ ms \(the median of 9\)/.test(named("pace").message),
    good.out,
  );
  assertEquals(
    JSON.parse((await run(folder, ["inspect", "sqlite:app.db", "--json"])).out).records,
    8,
  );

  const storage = careless();
  const [finding] = await probeStorage(storage, false, false);
  assertEquals(finding?.level, "problem");
  assert(/8 have won/.test(finding?.message ?? ""), finding?.message);
  assertEquals(await storage.list(""), []);

  const weak = await run(folder, ["doctor", "--json"], { env: { SECRET: "short" } });
  assertEquals(weak.code, 1);
  assert(!weak.out.includes("short"), weak.out);
});

test("[CL12] doctor knows the peers of the package and their ranges", () => {
  const ranges = Object.fromEntries(
    Object.entries(PEERS).map(([name, { range }]) => [name, range]),
  );
  assertEquals(ranges, manifest.peerDependencies);
  for (const [version, range] of [["3.4.5", "^3.4.5"], ["3.5.0", "^3.4.5"], ["0.8.9", "^0.8.0"]]) {
    assert(satisfies(version!, range!), `${version} ${range}`);
  }
  for (const [version, range] of [["3.4.4", "^3.4.5"], ["4.0.0", "^3.4.5"], ["0.9.0", "^0.8.0"]]) {
    assert(!satisfies(version!, range!), `${version} ${range}`);
  }
});

test("[CL15] what only looks creates nothing, and no password is shown", async (t) => {
  const folder = temp(t);
  const looking = [
    ["inspect", "sqlite:none.db"],
    ["inspect", "file:none"],
    ["list", "counter", "--storage", "sqlite:none.db"],
    ["get", "counter", "a", "--storage", "file:none"],
    ["doctor", "sqlite:none.db"],
    ["migrate-storage", "sqlite:none.db", "file:other", "--dry-run"],
  ];
  for (const args of looking) assertEquals((await run(folder, args)).code, 1, args.join(" "));
  assertEquals(readdirSync(folder), []);
  const url = "postgres://me:hunter%2Bsecret@127.0.0.1:1/db";
  for (
    const args of [["inspect", url], ["doctor", url], ["inspect", "postgres://me:hunter+secret@:x"]]
  ) {
    for (const json of [[], ["--json"]]) {
      const { out, error } = await run(folder, [...args, ...json]);
      assert(!/hunter/.test(out + error), out + error);
    }
  }
});

test("[CL4] every verb has help, and wrong arguments end with 2", async (t) => {
  const folder = temp(t);
  for (
    const verb of ["init", "doctor", "inspect", "list", "get", "delete", "sweep", "migrate-storage"]
  ) {
    const help = await run(folder, [verb, "--help"]);
    assertEquals(help.code, 0);
    assert(help.out.startsWith(`holdfast ${verb}`), help.out);
    assert(help.out.split("\n").every((line) => line.length <= 110), verb);
    assertEquals((await run(folder, [verb, "--nonsense"])).code, 2);
    assertEquals((await run(folder, [verb, "x", "x", "x", "x"])).code, 2);
  }
  for (const url of ["redis:x", "sqlite:", "s3://", "s3://k:s@bucket", "postgres://["]) {
    assertEquals((await run(folder, ["inspect", url])).code, 2, url);
  }
  assertEquals((await run(folder, ["list", "counter"])).code, 2);
  assertEquals((await run(folder, ["get", "counter", "", ...HERE])).code, 2);
});
