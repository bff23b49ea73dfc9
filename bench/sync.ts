/**
 * Sync beside what Postgres itself can do, on a server of its own:
 *
 *     npm run bench -- sync                     everything, about six minutes; writes results/sync.md
 *     npm run bench -- sync --quick             does it work? writes nothing
 *     npm run bench -- sync --servers=bun       on one runtime
 *     npm run bench -- sync --only=latency      or decode, decoder, dom, views, slow
 *     npm run bench -- sync --peers=            without Zero, which runs on Node and is installed first
 *
 * `decoder` is the decoder alone, what it reads recorded in memory, without a server: what `decode`
 * measures is limited by how fast the server sends.
 * More: `--rounds=2 --seconds=3`. The floors are `pg_recvlogical`, read by the same runtime from a pipe,
 * and LISTEN/NOTIFY. Fails if something never arrives, never because of time.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import postgres from "postgres";
import { startPostgres } from "../test/postgres/fixtures/server.ts";
import { syncUp } from "../adapters/postgres/mod.ts";
import { disk, machine } from "./_lib/machine.ts";
import { flag, numberOption, option } from "./_lib/options.ts";
import { installPeers } from "./_lib/packages.ts";
import { bun, chooseRuntimes, type Runtime } from "./_lib/runtimes.ts";
import { begin } from "./_sync/begin.ts";
import type { Decoded, Job, Latency, Slow, Views, Written } from "./_sync/job.ts";
import { report, type Results } from "./_sync/report.ts";
import { startZero, zeroFolder } from "./_sync/zero.ts";

const busy = loadavg()[0] ?? 0;
const quick = flag("quick");
const only = (option("only") ?? "latency,dom,decode,decoder,views,slow").split(",");
const rounds = numberOption("rounds", quick ? 1 : 2);
const seconds = numberOption("seconds", quick ? 1 : 3);
const runtimes = chooseRuntimes(option("servers") ?? option("runtime"));
const BULK = { rows: quick ? 20_000 : 500_000, single: quick ? 2000 : 100_000 };

const served = only.some((part) => part !== "decoder");
const server = served
  ? await startPostgres({ max_wal_senders: "20", max_replication_slots: "20" })
  : undefined;
const url = server?.url ?? "";
const sql = postgres(url, { max: 2, onnotice: () => {} });

async function prepare(): Promise<void> {
  const shape = "(org int NOT NULL, id int PRIMARY KEY, n int, at bigint, note text)";
  const row = "g, 0, 0";
  for (
    const [table, rows, key, note] of [
      ["measured", 20, "0", "'as long as a title may be'"],
      ["spread", 1000, "g", "'as long as a title may be'"],
      ["wide", 0, "0", "''"],
      ["bulk", 0, "0", "''"],
    ] as const
  ) {
    await sql.unsafe(`CREATE TABLE ${table} ${shape}`);
    await sql.unsafe(
      `INSERT INTO ${table} SELECT ${key}, ${row}, ${note} FROM generate_series(0, ${
        rows - 1
      }) AS g`,
    );
  }
  await sql`ALTER TABLE wide ALTER id ADD GENERATED ALWAYS AS IDENTITY`;
  const key = { key: "org" };
  await sql.unsafe(syncUp({ tables: { measured: key, bulk: key } }));
  await sql.unsafe(syncUp({ tables: { spread: key }, publication: "spread" }));
  await sql.unsafe(syncUp({ tables: { wide: key }, publication: "wide" }));
}

/** Measures while the writer, which is the same for all, writes. */
async function during<T>(
  runtime: Runtime,
  job: Omit<Job, "url">,
  load: Partial<Job>,
  at = url,
): Promise<{
  readonly measured: T;
  readonly written: Written;
}> {
  const subject = await begin<T>(runtime, { url: at, ...job });
  const writer = await begin<Written>(bun, { task: "write", url: at, seconds, ...load });
  const written = await writer.answer;
  // What is on its way arrives.
  await new Promise((resolve) => setTimeout(resolve, 300));
  return { measured: await subject.enough(), written };
}

async function latencies(runtime: Runtime, into: Results): Promise<void> {
  for (const rate of [100, 1000]) {
    for (const by of ["holdfast", "pg_recvlogical", "notify"] as const) {
      const load = { rate, notify: by === "notify" };
      const { measured, written } = await during<Latency>(runtime, { task: "latency", by }, load);
      if (measured.heard === 0) throw new Error(`${by} has heard nothing`);
      into.latency.push({ by, rate, ...measured, ...written });
    }
  }
}

/** The version of Zero that is there to be measured; `undefined` where it cannot be. */
function findZero(): string | undefined {
  const wanted = (option("peers") ?? "zero").split(",").includes("zero");
  if (!wanted || !only.includes("latency")) return undefined;
  if (runtimes.every(({ name }) => name !== "node")) {
    return void console.log("skipped Zero: it runs on Node, which is not measured");
  }
  try {
    return installPeers(zeroFolder)["@rocicorp/zero"];
  } catch (error) {
    return void console.log(`skipped Zero: ${error}`);
  }
}

/** Zero at both rates, once it has run for a while. */
async function zeroLatencies(node: Runtime, into: Results): Promise<void> {
  const { url: at, ports, stop } = await startZero(node);
  try {
    for (const [warm, rate] of [[true, 1000], [false, 100], [false, 1000]] as const) {
      const job = { task: "latency", by: "zero", ports } as const;
      const { measured, written } = await during<Latency>(node, job, { rate }, at);
      if (!warm) into.latency.push({ by: "zero", rate, ...measured, ...written });
    }
  } finally {
    await stop();
  }
}

/** Goes on without it when it does not work. */
async function peers(all: readonly Results[]): Promise<boolean> {
  const at = runtimes.findIndex(({ name }) => name === "node");
  try {
    await zeroLatencies(runtimes[at]!, all[at]!);
    return true;
  } catch (error) {
    console.log(`going on without Zero: ${error}`);
    return false;
  }
}

/** The same backlog for everybody: a slot is copied before it is read. */
async function backlog(fill: string): Promise<string> {
  const slot = `backlog_${Date.now()}`;
  await sql`SELECT pg_create_logical_replication_slot(${slot}, 'pgoutput')`;
  await sql.unsafe(fill);
  return slot;
}

async function decoded(kind: "bulk" | "single", slot: string, all: readonly Results[]) {
  const expect = kind === "bulk"
    ? { rows: BULK.rows, transactions: 1 }
    : { rows: BULK.single, transactions: BULK.single };
  for (let round = 0; round < rounds; round++) {
    for (const [at, runtime] of runtimes.entries()) {
      for (const by of ["holdfast", "pg_recvlogical"] as const) {
        const copy = `${slot}_copy`;
        await sql`SELECT pg_copy_logical_replication_slot(${slot}, ${copy})`;
        const job = { task: "decode", url, by, slot: copy, expect } as const;
        const measured = await (await begin<Decoded>(runtime, job, false)).answer;
        if (by === "holdfast" && measured.rows !== expect.rows) throw new Error("rows are missing");
        all[at]?.decode.push({ kind, by, ...measured, ...expect });
        while ((await sql`SELECT FROM pg_replication_slots WHERE active`).length > 0);
        await sql`SELECT pg_drop_replication_slot(${copy})`;
      }
    }
  }
  await sql`SELECT pg_drop_replication_slot(${slot})`;
}

async function decoding(all: readonly Results[]): Promise<void> {
  const row = "0, g, 0, 0, 'as long as a title may be'";
  const big = await backlog(
    `INSERT INTO bulk SELECT ${row} FROM generate_series(1, ${BULK.rows}) AS g`,
  );
  await decoded("bulk", big, all);
  await sql`TRUNCATE bulk`;
  const small = await backlog(`DO $$ BEGIN
    SET LOCAL synchronous_commit = off;
    FOR g IN 1..${BULK.single} LOOP
      INSERT INTO bulk VALUES (${row}); COMMIT; SET LOCAL synchronous_commit = off;
    END LOOP; END $$`);
  await decoded("single", small, all);
}

async function fromMemory(runtime: Runtime, into: Results): Promise<void> {
  for (const rows of [1, 2]) {
    for (const watched of [false, true]) {
      const job = { task: "decoder", url, rows, watched, seconds } as const;
      const measured = await (await begin<Decoded>(runtime, job, false)).answer;
      into.decoder.push({ kind: rows === 1 ? "single" : "bulk", watched, ...measured });
    }
  }
}

async function others(runtime: Runtime, into: Results): Promise<void> {
  if (only.includes("dom")) {
    for (const rate of [100, 1000]) {
      const { measured, written } = await during<Latency>(runtime, { task: "dom" }, { rate });
      into.latency.push({ by: "dom", rate, ...measured, ...written });
    }
  }
  if (only.includes("views")) {
    const load = { rate: 100, table: "spread", of: 1000, rows: 100 };
    const { measured, written } = await during<Views>(runtime, { task: "views" }, load);
    into.views.push({ ...measured, ...written });
  }
  if (!only.includes("slow")) return;
  for (const watches of [1, 20]) {
    await sql`TRUNCATE wide`;
    const load = { rate: 100, table: "wide", of: 500, rows: 500, inserts: true };
    const { measured, written } = await during<Slow>(runtime, { task: "slow", watches }, load);
    into.slow.push({ watches, ...measured, ...written });
  }
}

const zero = findZero();
const folder = mkdtempSync(join(tmpdir(), "holdfast-bench-"));
try {
  if (served) await prepare();
  const all = runtimes.map(({ name, version }): Results => ({
    runtime: `${name} ${version}`,
    latency: [],
    decode: [],
    decoder: [],
    views: [],
    slow: [],
  }));
  let peersWork = zero !== undefined;
  for (let round = 0; round < rounds && only.includes("latency"); round++) {
    for (const [at, runtime] of runtimes.entries()) await latencies(runtime, all[at]!);
    peersWork &&= await peers(all);
    console.log(`  latencies, round ${round + 1} of ${rounds}`);
  }
  if (only.includes("decode")) await decoding(all);
  console.log("  the backlog");
  for (let round = 0; round < rounds && only.includes("decoder"); round++) {
    for (const [at, runtime] of runtimes.entries()) await fromMemory(runtime, all[at]!);
  }
  for (const [at, runtime] of runtimes.entries()) await others(runtime, all[at]!);
  const [version] = served ? await sql`SHOW server_version` : [];
  const text = report(all, {
    machine: machine(runtimes),
    disk: disk(folder),
    postgres: version?.["server_version"] ?? "none",
    zero,
    busy,
    rounds,
    seconds,
    ...BULK,
  });
  console.log(text);
  const path = fileURLToPath(new URL("results/sync.md", import.meta.url));
  const whole = !quick && runtimes.length === 3 && option("only") === undefined;
  if (whole) writeFileSync(path, text);
} finally {
  await sql.end();
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
}
