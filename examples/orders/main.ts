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

async function listen(fetch: (request: Request) => Response | Promise<Response>): Promise<string> {
  const runtime = "Bun" in globalThis ? "bun" : "Deno" in globalThis ? "deno" : "node";
  const { serve } = await import(`holdfast/${runtime}`);
  const server = await serve({ fetch, port: Number(process.env["PORT"] ?? 3000) });
  return `http://localhost:${server.port}`;
}

const given = process.env["DATABASE_URL"];
const server = given === undefined ? await demoServer() : undefined;
const url = given ?? server!.url;
const sql: Sql = postgres(url, { onnotice: () => {} });
await makeSchema(sql);
const sync = createSync({ sql, tables });
await sync.up();
await sync.ready();

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, async () => {
    await sync.close();
    await sql.end({ timeout: 1 });
    await server?.stop();
    process.exit(0);
  });
}
const address = await listen(ordersApp(sql, sync).fetch);
console.log(`Open ${address}/acme and ${address}/globex, and change something:`);
console.log(`  psql ${url} -c "UPDATE orders SET quantity = quantity + 1"`);
