import postgres from "postgres";
import { assert, assertEquals, skip, test } from "../harness/mod.ts";
import { syncDown } from "../../adapters/postgres/mod.ts";
import { findVersion } from "../postgres/fixtures/binaries.ts";
import { startPostgres } from "../postgres/fixtures/server.ts";
import { cutsUnderWrites, moreRows } from "./fixtures/cuts.ts";
import { fuzzTenants } from "./fixtures/fuzz.ts";
import { eventually, until, worldOn } from "./fixtures/world.ts";

interface Thing {
  readonly id: number;
  readonly title: string;
  readonly body: string;
}

for (const major of [14, 15, 16, 17, 18]) {
  const folder = findVersion(major);
  const title =
    `[RL16] Postgres ${major} is followed: rows, moves, large values, columns, cuts, a slot that stays`;
  if (folder === undefined) {
    skip(title, `only on a machine that has Postgres ${major}: npm run setup fetches it`);
    continue;
  }
  test(title, async (t) => {
    const server = await startPostgres({ fsync: "off", max_slot_wal_keep_size: "1GB" }, folder);
    t.defer(() => server.stop());
    const sql = postgres(server.url, { max: 6, onnotice: () => {} });
    t.defer(() => sql.end({ timeout: 1 }));
    const w = worldOn(server, sql);
    const [{ version } = { version: "" }] =
      await sql`SELECT current_setting('server_version') AS version`;
    assert(String(version).startsWith(`${major}`), `the server is ${version}`);
    const { sync, table } = await w.follow(t, { columns: "title text, body text" });
    // Again, with what each version has in its catalog.
    await sync.up();
    assertEquals(await sync.check(), []);
    const [one, two] = [1, 2].map((key) =>
      sync.watch<readonly Thing[]>({ table, key, orderBy: "id" })
    );
    await Promise.all([one!.ready(), two!.ready()]);
    await w.run(
      `ALTER TABLE ${table} ALTER body SET STORAGE EXTERNAL`,
      `INSERT INTO ${table} VALUES (1, 1, 'a', repeat('x', 50000)), (1, 2, 'b', '')`,
      `UPDATE ${table} SET title = 'c' WHERE id = 1`,
    );
    const rows = await until(one!, ([first]) => first?.title === "c");
    assertEquals(rows[0]!.body.length, 50_000);
    await w.run(
      `UPDATE ${table} SET organization_id = 2 WHERE id = 1`,
      `DELETE FROM ${table} WHERE id = 2`,
    );
    await until(one!, (left) => left.length === 0);
    assertEquals((await until(two!, ([first]) => first !== undefined))[0]!.body.length, 50_000);
    await w.run(`ALTER TABLE ${table} ADD extra int DEFAULT 5`, `UPDATE ${table} SET title = 'd'`);
    await until(two!, ([first]) => (first as { extra?: number }).extra === 5);
    await w.run(`TRUNCATE ${table}`);
    await until(two!, (left) => left.length === 0);
    const cuts = await cutsUnderWrites(t, w, { cuts: 2, pause: moreRows(20), slot: "staying" });
    assertEquals([cuts.missing, cuts.twice, cuts.loads, cuts.wrong], [0, 0, 0, 0]);
    const fuzz = await fuzzTenants(server.url, { transactions: 300, seed: major, cuts: 1 });
    assertEquals(fuzz.problems, []);
    await sync.close();
    await eventually(() =>
      sql.unsafe(syncDown({ tables: { [table]: { key: "organization_id" } }, publication: table }))
        .then(() => true)
    );
  }, { timeoutMs: 120_000 });
}
