import postgres from "postgres";
import { createSync } from "../../adapters/postgres/mod.ts";
import { syncUp } from "../../adapters/postgres/replication_setup.ts";
import type { TelemetryEvent } from "../../src/ports/telemetry.ts";
import { assertEquals, skip, test, type TestContext } from "../harness/mod.ts";
import { findVersion } from "../postgres/fixtures/binaries.ts";
import { startPostgres } from "../postgres/fixtures/server.ts";
import { eventually, live, type Sql, until } from "./fixtures/world.ts";

interface Thing {
  readonly id: number;
}

const SLOT = "holdfast_failover";
const title =
  "[RL18] a slot with failover is on a standby, and followed there once that is promoted";

/** A primary, and a standby that keeps the slots which ask for it. */
async function pair(t: TestContext) {
  const primary = await startPostgres({ fsync: "off", max_slot_wal_keep_size: "1GB" });
  t.defer(() => primary.stop());
  const sql = postgres(primary.url, { max: 1, onnotice: () => {} });
  await sql`CREATE TABLE things (org int NOT NULL, id int PRIMARY KEY)`;
  await sql.unsafe(syncUp({ tables: { things: { key: "org" } } }));
  await sql`SELECT pg_create_physical_replication_slot('standby', true)`;
  await sql.end();
  const standby = await primary.standby({
    primary_slot_name: "standby",
    hot_standby_feedback: "on",
  });
  t.defer(() => standby.stop());
  return { primary, standby };
}

/** A standby that the log has not brought as far as the slot refuses: servers ask it again, too. */
function notThere(error: { readonly code?: string }): false {
  if (error.code === "55000") return false;
  throw error;
}

async function failsOver(t: TestContext): Promise<void> {
  const { primary, standby } = await pair(t);
  const hosts = [primary, standby].map(({ url }) => new URL(url));
  const sql: Sql = postgres({
    host: hosts.map(({ hostname }) => hostname),
    port: hosts.map(({ port }) => Number(port)),
    user: "postgres",
    database: "postgres",
    max: 2,
    onnotice: () => {},
    target_session_attrs: "read-write",
    backoff: 0.05,
  } as never);
  const other = postgres(standby.url, { max: 1, onnotice: () => {} });
  const events: TelemetryEvent[] = [];
  const sync = createSync({
    sql,
    telemetry: (event) => void events.push(event),
    tables: { things: { key: "org" } },
    slot: { name: SLOT, failover: true },
  });
  t.defer(async () => {
    await sync.close();
    await sql.end({ timeout: 1 });
    await other.end({ timeout: 1 });
  });
  await live(sync);
  const watch = sync.watch<readonly Thing[]>({ table: "things", key: 1, orderBy: "id" });
  await watch.ready();
  await sql`INSERT INTO things VALUES (1, 1)`;
  await until(watch, (rows) => rows.length === 1);
  // What servers do every few seconds, with `sync_replication_slots`. A slot is kept once the standby
  // has come as far as it has.
  await eventually(async () => {
    await sql`SELECT pg_log_standby_snapshot()`;
    if (!await other`SELECT pg_sync_replication_slots()`.then(() => true, notThere)) return false;
    const [slot] = await other`SELECT synced AND NOT temporary AS kept FROM pg_replication_slots
      WHERE slot_name = ${SLOT}`;
    return slot?.["kept"] === true && (await other`SELECT FROM things`).length === 1;
  });
  events.length = 0;
  await primary.kill();
  await other`SELECT pg_promote()`;
  await other`INSERT INTO things VALUES (1, 2)`;
  await until(watch, (rows, { status }) => rows.length === 2 && status === "live");
  await eventually(async () =>
    (await other`SELECT FROM pg_replication_slots
    WHERE slot_name = ${SLOT} AND active`).length === 1
  );
  await other`INSERT INTO things VALUES (1, 3)`;
  assertEquals((await until(watch, (rows) => rows.length === 3)).map(({ id }) => id), [1, 2, 3]);
  const reasons = events.flatMap((event) =>
    event.name === "holdfast.sync.invalidate" ? [event.reason] : []
  );
  assertEquals(reasons, ["epoch"]);
}

if (findVersion(18) === undefined) skip(title, "there is no Postgres 18 here");
else test(title, failsOver, { timeoutMs: 60_000 });
