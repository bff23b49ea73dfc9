import { spawnSync } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import postgres from "postgres";
import { assert, assertEquals, runtime, test } from "../harness/mod.ts";
import { runCli } from "../../adapters/cli/mod.ts";
import { createSync, postgresStorage, syncUp } from "../../adapters/postgres/mod.ts";
import { sqliteStorage } from "../../adapters/sqlite/mod.ts";
import type { Storage } from "../../mod.ts";
import { temp } from "../adapters/fixtures/temp.ts";
import { afterAll } from "../postgres/fixtures/after_all.ts";
import { startPostgres } from "../postgres/fixtures/server.ts";
import { run } from "./fixtures/run.ts";

const server = await startPostgres({ fsync: "off" });
const sql = postgres(server.url, { max: 1, onnotice: () => {} });
await afterAll(async () => {
  await sql.end();
  await server.stop();
});
await sql.unsafe(
  "CREATE SCHEMA app; CREATE TABLE app.notes (owner uuid NOT NULL, id int PRIMARY KEY)",
);

interface Answer {
  readonly code: number;
  readonly out: string;
  readonly error: string;
}

async function cli(...args: readonly string[]): Promise<Answer> {
  const [out, error]: [string[], string[]] = [[], []];
  const code = await runCli(args, {
    out: (line) => void out.push(line),
    error: (line) => void error.push(line),
    env: { DATABASE_URL: server.url },
    cwd: fileURLToPath(new URL("./fixtures", import.meta.url)),
  });
  return { code, out: out.join("\n"), error: error.join("\n") };
}

const notes = ["--table", "app.notes:owner"];

test("[CL1] check says what is missing, up sets it up, down takes it back", async () => {
  const before = await cli("sync", "check", ...notes);
  assertEquals(before.code, 1);
  assert(/no publication "holdfast"; run this SQL:\nDO/.test(before.out), before.out);
  assertEquals(await cli("sync", "up", ...notes), {
    code: 0,
    out: "The database is set up",
    error: "",
  });
  assertEquals(await cli("sync", "check", ...notes), {
    code: 0,
    out: "Nothing is missing",
    error: "",
  });
  assertEquals((await cli("sync", "down", ...notes)).code, 0);
  assertEquals((await cli("sync", "check", ...notes)).code, 1);
});

test("[CL2] --print prints what would be run, without a database", async () => {
  const { code, out } = await cli(
    "sync",
    "up",
    ...notes,
    "--print",
    "--url",
    "postgres://nowhere:1/x",
  );
  const tables = { "app.notes": { key: "owner", schema: "app", name: "notes" } };
  assertEquals([code, out], [0, syncUp({ tables })]);
  assert((await cli("sync", "down", ...notes, "--print")).out.includes("DROP PUBLICATION"));
});

test("[CL3] --json answers in JSON, errors included", async () => {
  const { code, out } = await cli("sync", "check", ...notes, "--json");
  const { ok, problems } = JSON.parse(out);
  assertEquals([code, ok, problems[0].code], [1, false, "publication"]);
  const failed = await cli("sync", "up", "--table", "nowhere:owner", "--json");
  assertEquals([failed.code, JSON.parse(failed.out).ok], [1, false]);
  assert(JSON.parse(failed.out).error.includes("nowhere"), failed.out);
  assert(/^Cannot do sync up on 127.0.0.1:\d+\//.test(JSON.parse(failed.out).error), failed.out);
  const nobody = ["--url", "postgres://ada:kelp-rope@127.0.0.1:1/shop"];
  const unreachable = await cli("sync", "check", ...notes, ...nobody);
  assert(unreachable.error.startsWith("Cannot do sync check on 127.0.0.1:1/shop: "));
  assert(!unreachable.error.includes("kelp-rope"), unreachable.error);
  for (
    const args of [
      ["sync", "check", ...notes, "--url", "nonsense"],
      ["sync", "sideways"],
      ["sync", "up"],
      ["nonsense"],
      ["list"],
    ]
  ) {
    const wrong = await cli(...args, "--json");
    assertEquals([wrong.code, JSON.parse(wrong.out).ok, wrong.error], [2, false, ""]);
  }
});

test("[CL4] wrong arguments end with 2 and say what is right, help ends with 0", async () => {
  const wrong = [
    ["nonsense"],
    ["sync", "sideways", ...notes],
    ["sync", "up"],
    ["sync", "up", "--table", "notes"],
    ["sync", "up", "--unknown"],
    ["sync", "up", "--config", "missing.ts"],
  ];
  for (const args of wrong) {
    const { code, error } = await cli(...args);
    assertEquals(code, 2, args.join(" "));
    assert(error.includes("holdfast"), error);
  }
  for (const args of [[], ["--help"], ["sync"], ["sync", "--help"]]) {
    assertEquals((await cli(...args)).code, 0);
  }
});

test("[CL5] the tables come from a module", async () => {
  const { code, out } = await cli("sync", "up", "--config", "config.ts", "--print");
  assertEquals(code, 0);
  assert(out.includes('ALTER PUBLICATION "from_config" ADD TABLE "app"."notes"'), out);
});

test("[CL5] [CL17] a module may name the slot as createSync() does, and down says when it is in use", async (t) => {
  const args = ["--config", "config_slot.ts"];
  assert((await cli("sync", "down", ...args, "--print")).out.includes("'notes_slot'"));
  await cli("sync", "up", ...args);
  const { slot, tables } = await import("./fixtures/config_slot.ts");
  const sync = createSync({ url: server.url, tables, slot });
  t.defer(() => sync.close());
  await sync.ready();
  const used = await cli("sync", "down", ...args);
  assertEquals(used.code, 1);
  assert(/notes_slot.*close what uses it first/.test(used.error), used.error);
  await sync.close();
  // The server has yet to notice that the connection is gone.
  let down = await cli("sync", "down", ...args);
  while (down.code !== 0) down = await cli("sync", "down", ...args);
  assertEquals((await sql`SELECT FROM pg_replication_slots`).length, 0);
});

test("[CL17] [CL1] check ends with 0 for a warning alone, and says what up does as well", async () => {
  await sql.unsafe(`CREATE TABLE hidden (owner int NOT NULL, id int PRIMARY KEY);
    CREATE ROLE reader LOGIN REPLICATION; GRANT SELECT ON hidden TO reader`);
  const check = ["sync", "check", "--table", "hidden:owner", "--publication", "hidden"];
  const before = await cli(...check);
  assert(before.out.endsWith('"up" does as well, for the same tables'), before.out);
  await cli("sync", "up", ...check.slice(2));
  await sql.unsafe("ALTER TABLE hidden ENABLE ROW LEVEL SECURITY");
  const warned = await cli(...check, "--url", server.url.replace("postgres@", "reader@"));
  assertEquals([warned.code, warned.error], [0, ""]);
  assert(/^- warning: .*\nNothing is missing$/.test(warned.out), warned.out);
});

test("[CL15] no word of a URL that is none is shown", async () => {
  for (const url of ["pg://ada:kelp-rope@db/shop", "kelp-rope", "postgres:kelp-rope@db"]) {
    for (const json of [[], ["--json"]]) {
      const { code, out, error } = await cli("sync", "check", ...notes, "--url", url, ...json);
      assert(code !== 0 && !`${out}${error}`.includes("kelp-rope"), `${url}: ${out}${error}`);
    }
  }
});

test("[CL6] started as a program it runs", () => {
  const script = fileURLToPath(new URL("../../adapters/cli/mod.ts", import.meta.url));
  const before = runtime === "deno" ? ["run", "-A", "--no-check", "--quiet"] : [];
  const args = [...before, script, "sync", "up", ...notes, "--print"];
  const { status, stdout } = spawnSync(process.execPath, args, { encoding: "utf8" });
  assertEquals(status, 0);
  assert(stdout.startsWith("DO $holdfast$"), stdout);
});

test("[CL16] whoever reads no more, as head does, is no error", () => {
  const script = fileURLToPath(new URL("../../adapters/cli/mod.ts", import.meta.url));
  const before = runtime === "deno" ? ["run", "-A", "--no-check", "--quiet"] : [];
  const pipe = '{ "$@"; echo "code $?" >&2; } | :';
  const args = [...before, script, "sync", "up", ...notes, "--print"];
  const { stderr } = spawnSync("sh", ["-c", pipe, "sh", process.execPath, ...args], {
    encoding: "utf8",
  });
  assertEquals(stderr, "code 0\n");
});

/** All records of a storage. */
async function recordsOf(storage: Storage): Promise<readonly string[]> {
  const keys = await storage.list("");
  return await Promise.all(
    keys.map(async (key) => `${key}: ${(await storage.get(key))?.value}`),
  );
}

/** What a storage of a file has; it is open meanwhile only. */
async function within(path: string, fill?: (storage: Storage) => Promise<void>) {
  const storage = sqliteStorage(path);
  await fill?.(storage);
  const records = await recordsOf(storage);
  await storage.close?.();
  return records;
}

test("[CL11] migrate-storage moves everything into Postgres and out of it again", async (t) => {
  const folder = temp(t);
  const before = await within(join(folder, "from.db"), async (storage) => {
    for (let i = 0; i < 300; i++) await storage.put(`o/counter/${i}`, `{"at":${i}}`);
  });
  const move = async (...args: string[]) => (await run(folder, ["migrate-storage", ...args])).code;
  assertEquals(await move("sqlite:from.db", server.url, "--yes"), 0);
  assertEquals(await move("sqlite:from.db", server.url, "--verify"), 0);
  assertEquals([await recordsOf(postgresStorage({ sql })), before.length], [before, 300]);
  assertEquals(await move(server.url, "sqlite:back.db", "--yes"), 0);
  assertEquals(await within(join(folder, "back.db")), before);
  // Marks of what was moved stay.
  await sql`DROP TABLE holdfast_records`;
});

test("[CL12] doctor finds Postgres sound, and leaves nothing behind there", async (t) => {
  const folder = temp(t);
  // It makes no table by itself.
  const there = postgresStorage({ sql });
  await there.put("o/counter/a", "{}");
  const env = { SECRET: "W2bTqk0vJmXyqkVb4cQb0t7f6mXn3sLr9uYpZaDeHgI" };
  const { code, out } = await run(folder, ["doctor", server.url, "--json"], { env });
  const storage = JSON.parse(out).checks.find(({ name }: { name: string }) => name === "storage");
  assertEquals([code, storage.level], [0, "ok"], out);
  assertEquals(await recordsOf(there), ["o/counter/a: {}"]);
  await there.delete("o/counter/a");
});
