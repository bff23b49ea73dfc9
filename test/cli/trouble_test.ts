import { paceOf } from "../../adapters/cli/probe.ts";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { PassThrough } from "node:stream";
import { checkPeers, withSqlite } from "../../adapters/cli/checks.ts";
import { noteOn } from "../../adapters/cli/init_command.ts";
import { askOn } from "../../adapters/cli/main.ts";
import { onInterrupt, withStorage } from "../../adapters/cli/storages.ts";
import { sqliteStorage } from "../../adapters/sqlite/mod.ts";
import { createHoldfast, defineObject, type Storage, StorageUnavailableError } from "../../mod.ts";
import { assert, assertEquals, assertRejects, test, type TestContext } from "../harness/mod.ts";
import { temp } from "../adapters/fixtures/temp.ts";
import { run } from "./fixtures/run.ts";

const secret = "W2bTqk0vJmXyqkVb4cQb0t7f6mXn3sLr9uYpZaDeHgI";
const Counter = defineObject({
  name: "counter",
  vsn: 1,
  state: () => ({ count: 0 }),
  handlers: { add: ({ state }) => ++state.count },
});

async function filled(t: TestContext): Promise<string> {
  const folder = temp(t);
  const storage = sqliteStorage(join(folder, "app.db"));
  const holdfast = createHoldfast({ storage, secrets: [secret], sweepEveryMs: Infinity });
  for (const id of ["a", "b"]) await holdfast.object(Counter, id).add();
  await holdfast.close();
  return folder;
}

const HERE = ["--storage", "sqlite:app.db"];

test("[CL4] an option that is there twice, of which one would be passed over, ends with 2", async (t) => {
  const folder = await filled(t);
  const args = ["delete", "counter", "a", ...HERE, "--storage=sqlite:other.db", "--yes"];
  const { code, error } = await run(folder, args);
  assertEquals(code, 2);
  assert(error.startsWith("Cannot run: --storage is there twice"), error);
  // A flag says the same twice, and a table is one of several.
  assertEquals((await run(folder, ["get", "counter", "a", ...HERE, "--json", "--json"])).code, 0);
  const tables = ["--table", "a:b", "--table", "c:d"];
  assertEquals((await run(folder, ["sync", "up", ...tables, "--print"])).code, 0);
});

test("[CL4] help of a verb is what it says with --help, and an empty variable is none", async (t) => {
  const folder = temp(t);
  const asked = await run(folder, ["help", "list"]);
  assertEquals(asked, await run(folder, ["list", "--help"]));
  assert(asked.out.startsWith("holdfast list CLASS"), asked.out);
  const { code, error } = await run(folder, ["list", "counter"], { env: { HOLDFAST_STORAGE: "" } });
  assertEquals(code, 2);
  assert(error.includes("neither --storage nor HOLDFAST_STORAGE"), error);
});

test("[CL7] what was not looked at is not counted as nothing", async (t) => {
  const folder = await filled(t);
  const { out } = await run(folder, ["inspect", "sqlite:app.db", "--no-sizes"]);
  assert(/app\/object\/counter +2 +- +- +- +-\n/.test(out), out);
  assert(out.endsWith("2 records, in sqlite:app.db"), out);
});

test("[CL8] what a migration has is neither shown nor deleted", async (t) => {
  const folder = await filled(t);
  await run(folder, ["migrate-storage", "sqlite:app.db", "sqlite:new.db", "--yes"]);
  for (const verb of [["get"], ["delete", "--yes"]]) {
    const [name = "", ...flags] = verb;
    const { code, error } = await run(folder, [name, "counter", "a", ...HERE, ...flags]);
    assertEquals(code, 1, name);
    assert(error.startsWith('Cannot use object "counter" "a": a migration has it'), error);
  }
  // The mark is still there, and so is what it stands for.
  const verify = ["migrate-storage", "sqlite:app.db", "sqlite:new.db", "--verify", "--json"];
  assertEquals(JSON.parse((await run(folder, verify)).out).report.keys, 2);
  const args = ["get", "counter", "a", "--storage", "sqlite:new.db", "--json"];
  assertEquals(JSON.parse((await run(folder, args)).out).state, { count: 1 });
});

test("[CL11] only what has begun can go on", async (t) => {
  const folder = await filled(t);
  writeFileSync(join(folder, "text.db"), "no database, but long enough to be looked at ".repeat(9));
  const args = ["migrate-storage", "sqlite:app.db", "sqlite:text.db", "--yes"];
  const { code, error } = await run(folder, args);
  assertEquals(code, 1);
  assert(!error.includes("run the same again"), error);
  assert(error.includes("cannot be read or written as an SQLite database"), error);
});

test("[CL11] a migration that is told to end says how to go on, by SIGTERM too", async () => {
  let done = (): void => {};
  const stopped = new Promise<void>((resolve) => done = onInterrupt(resolve));
  process.kill(process.pid, "SIGTERM"); // Deno's runner takes a SIGINT for its own
  await stopped;
  done();
});

test("[CL9] a question that is not answered is no yes, and ends", async () => {
  const [answered, ended] = [new PassThrough(), new PassThrough()];
  answered.write("yes \n");
  assertEquals(await askOn("Sure?", answered, new PassThrough()), "yes");
  ended.end();
  await assertRejects(
    () => askOn("Sure?", ended, new PassThrough()),
    (error) => error.message === "Cannot go on: the question was not answered",
  );
});

test("[CL12] doctor names the variable that is missing, and takes no empty name", async (t) => {
  const folder = temp(t);
  const args = ["doctor", "--json", "--secrets", "SECRET, OLD"];
  const { code, out } = await run(folder, args, { env: { SECRET: secret } });
  assertEquals(code, 1);
  const { checks } = JSON.parse(out) as { checks: { name: string; message: string }[] };
  const found = checks.find(({ name }) => name === "secrets");
  assertEquals(found?.message, "OLD not set here, of SECRET, OLD");
  for (const names of ["", "A,,B"]) {
    assertEquals((await run(folder, ["doctor", `--secrets=${names}`])).code, 2);
  }
});

test("[CL12] doctor says how long a write takes, and warns of a disk that keeps the thread", () => {
  const slow = [40, 0.2, 5, 7, 0.1];
  assertEquals(paceOf(slow, false), {
    name: "pace",
    level: "ok",
    message: "a write is durable after 5 ms (the median of 5)",
  });
  const { level, message } = paceOf(slow, true);
  assertEquals(level, "warning");
  assert(/^a write is durable after 5 ms.*every other request/.test(message), message);
  assertEquals(paceOf([0.213], true).message, "a write is durable after 0.21 ms (the median of 1)");
  assertEquals(paceOf([0.213], true).level, "ok");
  assertEquals(paceOf([123.4], false).message, "a write is durable after 120 ms (the median of 1)");
});

test("[CL12] doctor tells of a runtime without SQLite, and of a package that cannot be read", (t) => {
  const levels = (["2.1.9", "2.2.0", "1.46.0"] as const).map((version) =>
    withSqlite("Deno", version, [2, 0], [2, 2]).level
  );
  assertEquals(levels, ["warning", "ok", "problem"]);
  const folder = temp(t);
  mkdirSync(join(folder, "node_modules", "jose"), { recursive: true });
  writeFileSync(join(folder, "node_modules", "jose", "package.json"), "{ cut off");
  const found = checkPeers(folder).find(({ name }) => name === "jose");
  assertEquals(found?.message, "its package.json cannot be read");
});

test("[CL14] init that cannot write says what, and leaves nothing half done", async (t) => {
  const folder = temp(t);
  writeFileSync(join(folder, "file"), "");
  const inFile = await run(folder, ["init", "file", "--runtime", "node"]);
  assertEquals(inFile.code, 1);
  assert(inFile.error.startsWith("Cannot write file/package.json: "), inFile.error);
  mkdirSync(join(folder, "app", "main.ts"), { recursive: true });
  const half = await run(folder, ["init", "app", "--runtime", "node", "--force"]);
  assertEquals(half.code, 1);
  assert(half.error.startsWith("Cannot write app/main.ts: "), half.error);
  assertEquals(readdirSync(join(folder, "app")), ["main.ts"]);
});

test("[CL14] init tells of a Node that is too old for what it writes", () => {
  const noted = ["20.20.2", "22.17.1", "22.18.0", "24.0.0"].map((version) =>
    noteOn("node", version, "node") !== undefined
  );
  assertEquals(noted, [true, true, false, false]);
  assertEquals(noteOn("bun", "20.20.2", "node"), undefined);
  assertEquals(noteOn("node", "20.20.2", "bun"), undefined);
});

test("[CL15] a place for a storage is none: an empty file, a folder of other things", async (t) => {
  const folder = temp(t);
  writeFileSync(join(folder, "empty.db"), "");
  mkdirSync(join(folder, "notes"));
  writeFileSync(join(folder, "notes", "readme.txt"), "mine");
  for (const url of ["sqlite:empty.db", "file:notes"]) {
    for (const verb of [["inspect"], ["doctor"], ["sweep", "--yes"]]) {
      const { code, out, error } = await run(folder, [verb[0]!, url, ...verb.slice(1)]);
      assertEquals(code, 1, `${verb[0]} ${url}`);
      assert((out + error).includes("it is not there yet"), out + error);
    }
  }
  const kv = await run(folder, ["inspect", "denokv:none.db"]);
  assertEquals(
    kv.error,
    "Cannot open denokv:none.db: it is not there yet; the first write makes it",
  );
  assert(!existsSync(join(folder, "none.db")));
  assertEquals(readFileSync(join(folder, "empty.db"), "utf8"), "");
  assertEquals(readdirSync(join(folder, "notes")), ["readme.txt"]);
  assert(!existsSync(join(folder, "empty.db-wal")));
  const full = await filled(t);
  writeFileSync(join(full, "to.db"), "");
  const dry = await run(full, ["migrate-storage", "sqlite:app.db", "sqlite:to.db", "--dry-run"]);
  assertEquals([dry.code, dry.out], [0, "2 of 2 records to move"]);
});

test("[CL15] an error is told with everything that led to it, and each once", async () => {
  const disk = new Error("attempt to write a readonly database");
  const opening = new StorageUnavailableError("Cannot open it", "none", { cause: disk });
  const failed = new StorageUnavailableError("3 of 3 tries failed (Cannot open it)", "none", {
    cause: opening,
  });
  const place = {
    kind: "sqlite",
    shown: "sqlite:x",
    path: "x",
    url: undefined,
    isThere: () => true,
    open: () => ({ get: () => Promise.reject(failed) } as unknown as Storage),
  } as const;
  await assertRejects(
    () => withStorage(place, false, (storage) => storage.get("a")),
    (error) =>
      error.message ===
        "3 of 3 tries failed (Cannot open it) (attempt to write a readonly database)",
  );
});

test("[CL4] a parameter of an S3 URL that does not exist ends with 2: a misspelt endpoint is AWS", async (t) => {
  const folder = temp(t);
  const misspelt = await run(folder, ["inspect", "s3://app/?endpont=http://127.0.0.1:1"]);
  assertEquals(misspelt.code, 2);
  const message =
    'Cannot open a storage: s3:// does not know a parameter that is nearly "endpoint"';
  assert(misspelt.error.startsWith(message), misspelt.error);
  const { code } = await run(folder, ["inspect", "s3://app/?region=eu&pathStyle=yes"]);
  assertEquals(code, 2);
});
