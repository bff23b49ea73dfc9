import { asc, eq } from "drizzle-orm";
import { integer, pgTable, text } from "drizzle-orm/pg-core";
import { drizzle } from "drizzle-orm/postgres-js";
import {
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
} from "kysely";
import { assertEquals, test } from "../harness/mod.ts";
import { until, world } from "./fixtures/world.ts";

const w = await world();

interface Thing {
  readonly organization_id: number;
  readonly id: number;
  readonly title: string;
}

test("[SY30] a query of Kysely is a load, and its rows are kept current", async (t) => {
  const { sync, table } = await w.follow(t, { columns: "title text NOT NULL" });
  // It only builds: nothing of it connects.
  const db = new Kysely<{ readonly [table: string]: Thing }>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (of) => new PostgresIntrospector(of),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
  });
  await w.run(`INSERT INTO ${table} VALUES (1, 1, 'a'), (2, 2, 'theirs')`);
  const watch = sync.watch({
    table,
    key: 1,
    load: (_sql, key) =>
      db.selectFrom(table).selectAll().where("organization_id", "=", Number(key)).orderBy("id"),
    where: ({ title }) => title !== "hidden",
    orderBy: (a, b) => a.id - b.id,
  });
  assertEquals((await watch.ready()).value, [{ organization_id: 1, id: 1, title: "a" }]);
  await w.run(`INSERT INTO ${table} VALUES (1, 3, 'b'), (1, 4, 'hidden')`);
  const rows = await until(watch, (all) => all.length === 2);
  assertEquals(rows.map(({ title }) => title), ["a", "b"]);
});

test("[SY30] a query of Drizzle is a load, and its rows are kept current", async (t) => {
  const { sync, table } = await w.follow(t, { columns: "title text NOT NULL" });
  const things = pgTable(table, {
    organization_id: integer().notNull(),
    id: integer().primaryKey(),
    title: text().notNull(),
  });
  // Not drizzle(sql): that changes how the instance reads dates, for everybody.
  const db = drizzle.mock();
  await w.run(`INSERT INTO ${table} VALUES (1, 1, 'a'), (2, 2, 'theirs')`);
  const watch = sync.watch({
    table,
    key: 1,
    load: (_sql, key) =>
      db.select().from(things).where(eq(things.organization_id, Number(key))).orderBy(
        asc(things.id),
      ),
    where: ({ title }) => title !== "hidden",
    orderBy: (a, b) => a.id - b.id,
  });
  assertEquals((await watch.ready()).value, [{ organization_id: 1, id: 1, title: "a" }]);
  await w.run(`INSERT INTO ${table} VALUES (1, 3, 'b'), (1, 4, 'hidden')`);
  const rows = await until(watch, (all) => all.length === 2);
  assertEquals(rows.map(({ title }) => title), ["a", "b"]);
});
