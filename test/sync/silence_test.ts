import postgres from "postgres";
import { createSync, syncUp } from "../../adapters/postgres/mod.ts";
import { Connections } from "../../adapters/postgres/sync_connections.ts";
import { createVirtualClock } from "../../adapters/testing/mod.ts";
import { TcpProxy } from "../e2e/live/proxy.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertThrows,
  test,
  type TestContext,
} from "../harness/mod.ts";
import { eventually, live, until, world } from "./fixtures/world.ts";

interface Thing {
  readonly id: number;
}

const w = await world();
const { sql, run } = w;

/** A table with a row of each of two keys, and what follows it through a proxy. */
async function behindProxy(t: TestContext, queryTimeoutMs: number, own = false) {
  const table = w.name();
  await run(`CREATE TABLE ${table} (organization_id int NOT NULL, id int PRIMARY KEY)`);
  await run(`INSERT INTO ${table} VALUES (1, 1), (2, 2)`);
  const tables = { [table]: { key: "organization_id" } };
  await sql.unsafe(syncUp({ tables, publication: table }));
  const proxy = await new TcpProxy().listen();
  t.defer(() => proxy.close());
  proxy.lead(w.server);
  const url = new URL(w.server.url);
  url.port = new URL(proxy.url).port;
  const failures: unknown[] = [];
  const given = own ? { sql: postgres(url.href, { max: 1, onnotice: () => {} }) } : undefined;
  t.defer(async () => await given?.sql.end({ timeout: 0 }));
  const sync = createSync({
    ...(given ?? { url: url.href }),
    tables,
    publication: table,
    queryTimeoutMs,
    telemetry: (event) => {
      if (event.name === "holdfast.sync.load" && event.error !== undefined) {
        failures.push(event.error);
      }
    },
  });
  t.defer(() => sync.close());
  await live(sync);
  return { sync, table, proxy, failures };
}

function code(error: unknown): unknown {
  return (error as { readonly code?: unknown }).code;
}

for (const own of [false, true]) {
  const whose = own ? "of an instance that is not ours " : "";
  test(`[SY41] when connections ${whose}have died without a word, loads go over new ones`, async (t) => {
    const { sync, table, proxy, failures } = await behindProxy(t, 200, own);
    await sync.watch({ table, key: 1 }).ready();
    proxy.stall();
    const watch = sync.watch<readonly Thing[]>({ table, key: 2 });
    assertEquals(await until(watch, (rows) => rows.length > 0), [{ organization_id: 2, id: 2 }]);
    assert(failures.length > 0, "no load went over a dead connection");
    assertEquals(new Set(failures.map(code)), new Set(["ERR_STORAGE_UNAVAILABLE"]));
  });
}

test("[SY41] an instance that is not ours is asked again once it has noticed, and is not ended", async (t) => {
  const clock = createVirtualClock();
  let notice = (_error: Error) => {};
  const given = {
    options: sql.options,
    begin: () => Promise.reject(new Error("Not asked for")),
    unsafe: () => new Promise<never>((_, reject) => notice = reject),
  };
  const connections = new Connections({ sql: given }, { clock, queryTimeoutMs: 100 });
  t.defer(() => connections.close());
  const seen: boolean[] = [];
  const ask = () =>
    connections.ask(async (one) => {
      seen.push(one === given);
      return await one.unsafe("SELECT 1 AS n");
    });
  const late = assertRejects(ask, /did not answer within 5100 ms/);
  await clock.advance(5100);
  await late;
  assertEquals([...(await ask() as readonly unknown[])], [{ n: 1 }]);
  notice(new Error("The connection is reset"));
  await clock.advance(0);
  const again = ask();
  await clock.advance(0);
  notice(new Error("Not today"));
  await assertRejects(() => again, /Not today/);
  assertEquals(seen, [true, false, true]);
});

test("[SY41] a load that waits for a lock is ended by the server, and tried again", async (t) => {
  const { sync, table, failures } = await behindProxy(t, 100);
  let unlock = () => {};
  const locked = new Promise<void>((resolve, reject) => {
    sql.begin(async (tx) => {
      await tx.unsafe(`LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`);
      resolve();
      await new Promise<void>((open) => void (unlock = open));
    }).catch(reject);
  });
  await locked;
  const watch = sync.watch<readonly Thing[]>({ table, key: 2 });
  await eventually(() => failures.length >= 2);
  // What Postgres says of a statement that took too long.
  assertEquals(new Set(failures.map(code)), new Set(["57014"]));
  const waiting = `SELECT FROM pg_locks WHERE NOT granted AND relation = '${table}'::regclass`;
  assert(
    (await sql.unsafe(waiting)).length <= 1,
    "loads that were given up still wait for the lock",
  );
  unlock();
  assertEquals(await until(watch, (rows) => rows.length > 0), [{ organization_id: 2, id: 2 }]);
});

test("[SY41] a shorter limit of the database's own stays", async (t) => {
  const { sync, table } = await w.follow(t, { options: { queryTimeoutMs: 30_000 } });
  const limits: unknown[] = [];
  const load = async () => {
    const watch = sync.watch({
      table,
      key: 1,
      load: async (tx) => {
        const [row] = await tx.unsafe("SHOW statement_timeout");
        limits.push((row as { readonly statement_timeout?: string }).statement_timeout);
        return [];
      },
    });
    await watch.ready();
    watch.close();
  };
  await load();
  for (const limit of ["7s", "2h"]) {
    for (const one of await Promise.all(Array.from({ length: 6 }, () => sql.reserve()))) {
      await one.unsafe(`SET statement_timeout = '${limit}'`);
      one.release();
    }
    await load();
  }
  assertEquals(limits, ["30s", "7s", "30s"]);
});

test("[SY41] a time that makes no sense is refused", () => {
  const options = { url: "postgres://localhost/app", tables: { a: { key: "b" } } };
  for (const queryTimeoutMs of [0, -1, NaN]) {
    assertThrows(() => createSync({ ...options, queryTimeoutMs }), /queryTimeoutMs/);
  }
});
