import postgres from "postgres";
import * as t from "../harness/mod.ts";
import { memoryStorage } from "../../adapters/memory/mod.ts";
import { migratingStorage } from "../../adapters/migrating/mod.ts";
import { postgresStorage } from "../../adapters/postgres/mod.ts";
import { storageSuite } from "../../adapters/testing/mod.ts";
import type { Storage } from "../../src/ports/storage.ts";
import { afterAll } from "./fixtures/after_all.ts";
import { startPostgres } from "./fixtures/server.ts";

const server = await startPostgres();
const admin = postgres(server.url, { max: 2, onnotice: () => {} });
await afterAll(async () => {
  await admin.end();
  await server.stop();
});

let tables = 0;

for (const prepare of [true, false]) {
  storageSuite(t, `postgres ${prepare ? "prepared" : "unprepared"}`, () => {
    const table = `suite_${++tables}`;
    const open = (): Promise<Storage> =>
      Promise.resolve(postgresStorage({ url: server.url, table, prepare }));
    return open().then((storage) => ({ storage, reopen: open, another: open }));
  }, { durable: true, shared: true });
}

storageSuite(t, "postgres, being moved to", async () => {
  const table = `suite_${++tables}`;
  const from = memoryStorage();
  await migratingStorage({
    from,
    to: postgresStorage({ sql: admin, table }),
    phase: "copying",
  }).migrate();
  const to = postgresStorage({ url: server.url, table });
  return migratingStorage({ from, to, phase: "cutover" });
});
