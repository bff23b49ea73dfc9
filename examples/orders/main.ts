/**
 * Orders of two organisations, changed from anywhere:
 *
 *     npm run demo:orders                     with a Postgres of its own, thrown away at the end
 *     DATABASE_URL=… npm run demo:orders      with yours: wal_level has to be logical
 *
 * PORT (3000) and SECRET can be set. Sessions are in the same database.
 */
import { randomBytes } from "node:crypto";
import process from "node:process";
import { createHoldfast } from "holdfast";
import { createSync, postgresStorage } from "holdfast/postgres";
import postgres, { type Sql } from "postgres";
import { createApp } from "./app.ts";
import { makeSchema, tables } from "./schema.ts";

/** What has to be ended, the last begun first: also when it ends before all of it has begun. */
const ends: (() => Promise<unknown>)[] = [];
let ending: Promise<never> | undefined;

async function endAll(code: number): Promise<never> {
  for (const end of ends.reverse()) await end().catch(() => {});
  process.exit(code);
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  // A terminal tells everybody, and npm tells us once more.
  process.on(signal, () => void (ending ??= endAll(0)));
}

/** A server of the checkout's own: nothing else has to be installed. */
async function demoServer(): Promise<string> {
  const { startPostgres } = await import("../../test/postgres/fixtures/server.ts");
  const starting = startPostgres();
  ends.push(async () => await (await starting).stop());
  return (await starting).url;
}

// Yours needs one of them: import { serve, upgradeWebSocket } from "holdfast/bun";
const adapters = {
  bun: () => import("holdfast/bun"),
  deno: () => import("holdfast/deno"),
  node: () => import("holdfast/node"),
};

async function main(): Promise<void> {
  const url = process.env["DATABASE_URL"] || await demoServer();
  const sql: Sql = postgres(url, { onnotice: () => {} });
  ends.push(() => sql.end({ timeout: 1 }));
  await makeSchema(sql);
  const sync = createSync({ sql, tables });
  ends.push(() => sync.close());
  await sync.up();
  await sync.ready();
  const production = process.env["NODE_ENV"] === "production";
  const holdfast = createHoldfast({
    storage: postgresStorage({ sql }),
    secrets: [process.env["SECRET"] || (production ? "" : randomBytes(32).toString("base64"))],
    cookie: { dev: !production },
  });
  const runtime = "Bun" in globalThis ? "bun" : "Deno" in globalThis ? "deno" : "node";
  const { serve, upgradeWebSocket } = await adapters[runtime]();
  const { app, live } = createApp(holdfast, upgradeWebSocket, sql, sync);
  const port = Number(process.env["PORT"] || 3000);
  const serving = serve({ fetch: app.fetch, port, holdfast, live, withinMs: 3000, signals: [] });
  ends.push(async () => await (await serving).close());
  console.log(`Orders on ${(await serving).url} , and change something from elsewhere:`);
  console.log(`  psql ${url} -c "UPDATE orders SET quantity = quantity + 1"`);
}

await main().catch((error: unknown) => {
  if (ending !== undefined) return ending;
  console.error(error);
  return endAll(1);
});
