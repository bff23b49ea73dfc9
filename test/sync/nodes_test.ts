import process from "node:process";
import { memoryCluster } from "../../adapters/memory/mod.ts";
import { type Child, startChild } from "../adapters/fixtures/child.ts";
import { assert, assertEquals, skip, test } from "../harness/mod.ts";
import { noNats, startNats } from "../nats/fixtures/server.ts";
import type { Sync } from "../../adapters/postgres/mod.ts";
import type { SyncOptions } from "../../adapters/postgres/sync.ts";
import { createSync, syncUp } from "../../adapters/postgres/mod.ts";
import type { TestContext } from "../harness/mod.ts";
import { eventually, live, type Sql, until, world } from "./fixtures/world.ts";

interface Row {
  readonly id: number;
  readonly n: number;
}

const w = await world({ max_slot_wal_keep_size: "64MB" });
const { sql, run } = w;

/** Makes a table, and a publication of it with the same name. */
async function makeTable(): Promise<string> {
  const table = w.name();
  await run(
    `CREATE TABLE ${table} (organization_id int NOT NULL, id int PRIMARY KEY, n int)`,
    syncUp({ tables: { [table]: { key: "organization_id" } }, publication: table }),
  );
  return table;
}

/** Nodes of one cluster that follow a table. */
async function several(
  t: TestContext,
  table: string,
  count: number,
  options: Partial<SyncOptions<Sql>> = {},
): Promise<Sync<Sql>[]> {
  const cluster = memoryCluster({ timer: (ms, callback) => timer(ms, callback) });
  const nodes = Array.from({ length: count }, () =>
    createSync<Sql>({
      sql,
      tables: { [table]: { key: "organization_id" } },
      publication: table,
      cluster,
      ...options,
    }));
  for (const node of nodes) t.defer(() => node.close());
  await Promise.all(nodes.map(live));
  return nodes;
}

function timer(ms: number, callback: () => void): () => void {
  const id = setTimeout(callback, ms);
  return () => clearTimeout(id);
}

async function slots(): Promise<number> {
  const [row] = await sql`SELECT count(*)::int AS slots FROM pg_replication_slots`;
  return Number(row?.["slots"]);
}

const watchOf = (node: Sync<Sql>, table: string) =>
  node.watch<readonly Row[]>({ table, key: 1, orderBy: "id" });

const sum = (rows: readonly Row[]): number => rows.reduce((all, { n }) => all + n, 0);

test("[SY32] of three nodes on Postgres one has a slot, and all show what is written", async (t) => {
  const table = await makeTable();
  const nodes = await several(t, table, 3);
  assertEquals(nodes.map(({ status }) => status.role).sort(), ["follower", "follower", "leader"]);
  assertEquals(await slots(), 1);
  const watches = nodes.map((node) => watchOf(node, table));
  await Promise.all(watches.map((watch) => watch.ready()));
  await run(`INSERT INTO ${table} SELECT 1, i, 1 FROM generate_series(1, 50) AS i`);
  await run(`UPDATE ${table} SET n = 2 WHERE id <= 10`, `DELETE FROM ${table} WHERE id > 40`);
  await run(`UPDATE ${table} SET organization_id = 2 WHERE id = 1`);
  for (const watch of watches) await until(watch, (rows) => rows.length === 39 && sum(rows) === 48);
  await run(`ALTER TABLE ${table} ADD COLUMN more text DEFAULT 'x'`);
  await run(`UPDATE ${table} SET n = 3 WHERE id = 2`);
  for (const watch of watches) {
    await until(watch, ([row]) => row?.n === 3 && (row as Row & { more?: string }).more === "x");
  }
  await run(`TRUNCATE ${table}`);
  for (const watch of watches) await until(watch, (rows) => rows.length === 0);
});

test("[SY34] a node that leads and is closed, or cut off, hands the log on, and no row is missing", async (t) => {
  const table = await makeTable();
  const nodes = await several(t, table, 3);
  const watches = nodes.map((node) => watchOf(node, table));
  await Promise.all(watches.map((watch) => watch.ready()));
  const first = nodes.findIndex(({ status }) => status.role === "leader");
  await nodes[first]!.close();
  await run(`INSERT INTO ${table} VALUES (1, 1, 1)`);
  const rest = [0, 1, 2].filter((i) => i !== first);
  for (const i of rest) {
    await until(watches[i]!, (rows, { status }) => status === "live" && rows.length === 1);
  }
  assertEquals(rest.map((i) => nodes[i]!.status.role).sort(), ["follower", "leader"]);
  await sql`SELECT pg_terminate_backend(pid) FROM pg_stat_replication`;
  await run(`INSERT INTO ${table} VALUES (1, 2, 1)`);
  for (const i of rest) {
    await until(watches[i]!, (rows, { status }) => status === "live" && rows.length === 2);
  }
  await eventually(async () => await slots() === 1);
});

test("[SY34] a slot that stays goes from one leader to the next", async (t) => {
  const table = await makeTable();
  const nodes = await several(t, table, 2, { slot: { name: table } });
  const first = nodes.findIndex(({ status }) => status.role === "leader");
  const watch = watchOf(nodes[1 - first]!, table);
  await watch.ready();
  await nodes[first]!.close();
  await run(`INSERT INTO ${table} VALUES (1, 1, 1)`);
  await until(watch, (rows, { status }) => status === "live" && rows.length === 1);
  assertEquals(nodes[1 - first]!.status.role, "leader");
  const [slot] = await sql`SELECT active FROM pg_replication_slots WHERE slot_name = ${table}`;
  assertEquals(slot?.["active"], true);
  await nodes[1 - first]!.close();
  await eventually(async () =>
    (await sql`SELECT pg_drop_replication_slot(slot_name)
    FROM pg_replication_slots WHERE slot_name = ${table} AND NOT active`).length === 1
  );
});

/** By its id: on Deno a child that was sent one signal gets no other. */
function signal({ process: { pid } }: Child, name: "SIGKILL" | "SIGSTOP" | "SIGCONT" | "SIGTERM") {
  try {
    if (pid !== undefined) process.kill(pid, name);
  } catch {
    // It has ended.
  }
}

const overNats: typeof test = noNats === undefined ? test : (name) => skip(name, noNats ?? "");

overNats(
  "[SY34] of three processes over NATS the leader is killed, and the next one stopped for a while",
  async (t) => {
    const nats = await startNats();
    t.defer(() => nats.dispose());
    const table = await makeTable();
    const all = [1, 2, 3].map(() => startChild("sync_node", [w.server.url, nats.url, table]));
    t.defer(() => all.forEach((child) => signal(child, "SIGKILL")));
    const said = (child: Child) => child.lines.map((line) => JSON.parse(line));
    const roleOf = (child: Child): unknown => said(child).findLast(({ role }) => role)?.role;
    const shown = (child: Child) => said(child).findLast(({ status }) => status);
    let written = 0;
    const write = async (): Promise<void> => {
      written++;
      await run(`INSERT INTO ${table} VALUES (1, ${written}, ${written})`);
    };
    const rows = (): string =>
      Array.from({ length: written }, (_, i) => `${i + 1}:${i + 1}`).join(" ");
    const right = (child: Child): boolean =>
      shown(child)?.status === "live" && shown(child)?.rows === rows();
    const leaderAmong = async (children: readonly Child[]): Promise<Child> => {
      await eventually(() => children.some((child) => roleOf(child) === "leader"));
      return children.find((child) => roleOf(child) === "leader")!;
    };
    await eventually(() => all.every((child) => roleOf(child) !== undefined));
    await write();
    await eventually(() => all.every(right));

    const first = await leaderAmong(all);
    signal(first, "SIGKILL");
    const rest = all.filter((child) => child !== first);
    for (let i = 0; i < 20; i++) await write();
    await eventually(() => rest.every(right));
    assertEquals(await slots(), 1);

    const second = await leaderAmong(rest);
    const third = rest.find((child) => child !== second)!;
    signal(second, "SIGSTOP");
    for (let i = 0; i < 5; i++) await write();
    // The stopped one has the lease still: the other reads the log itself.
    await eventually(() => right(third));
    assertEquals(roleOf(third), "alone");
    signal(second, "SIGCONT");
    await write();
    await eventually(() => rest.every(right));
    await eventually(() => rest.map(roleOf).sort().join() === "follower,leader");
    await write();
    await eventually(() => rest.every(right));
    await eventually(async () => await slots() === 1);
    for (const child of rest) signal(child, "SIGTERM");
    const ends = await Promise.all(rest.map(({ ended }) => ended));
    assert(ends.every(({ code, stderr }) => code === 0 && stderr === ""), JSON.stringify(ends));
  },
  { timeoutMs: 60_000 },
);
