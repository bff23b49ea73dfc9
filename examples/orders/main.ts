/**
 * Orders of two organisations, changed from anywhere:
 *
 *     npm run demo:orders                     with a Postgres of its own, thrown away at the end
 *     DATABASE_URL=… npm run demo:orders      with yours: wal_level has to be logical
 */
import process from "node:process";
import { createSync } from "holdfast/postgres";
import postgres, { type Sql } from "postgres";
import { ordersApp } from "./app.ts";
import { makeSchema, tables } from "./schema.ts";

/** A server of the checkout's own: nothing else has to be installed. */
async function demoServer(): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const { startPostgres } = await import("../../test/postgres/fixtures/server.ts");
  return await startPostgres();
}

const runtimes = {
  bun: () => import("holdfast/bun"),
  deno: () => import("holdfast/deno"),
  node: () => import("holdfast/node"),
};

const given = process.env["DATABASE_URL"];
const server = given === undefined ? await demoServer() : undefined;
const url = given ?? server!.url;
const sql: Sql = postgres(url, { onnotice: () => {} });
await makeSchema(sql);
const sync = createSync({ sql, tables });
await sync.up();
await sync.ready();

const runtime = "Bun" in globalThis ? "bun" : "Deno" in globalThis ? "deno" : "node";
const { serve } = await runtimes[runtime]();
const { fetch } = ordersApp(sql, sync);
const port = Number(process.env["PORT"] ?? 3000);
const web = await serve({ fetch, port, withinMs: 1000, signals: [] });
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, async () => {
    await sync.close();
    await web.close();
    await sql.end({ timeout: 1 });
    await server?.stop();
    process.exit(0);
  });
}
console.log(`Open ${web.url}/acme and ${web.url}/globex, and change something:`);
console.log(`  psql ${url} -c "UPDATE orders SET quantity = quantity + 1"`);
