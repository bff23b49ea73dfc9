import { type AnyView, defineView } from "../../adapters/live/mod.ts";
import type { Sync } from "../../adapters/postgres/mod.ts";
import { assert, assertEquals, test } from "../harness/mod.ts";
import { type LiveWorld, liveWorld, Page } from "../live/world.ts";
import { type Sql, turn, world } from "./fixtures/world.ts";

interface Thing {
  readonly organization_id: number;
  readonly id: number;
  readonly title: string;
  readonly n: number;
}

const w = await world();

/** A world of live views in which a database is waited for: it does not follow the test's time. */
function realWorld(): LiveWorld {
  const at = liveWorld();
  return {
    ...at,
    finish: (promise) => promise,
    until: async (condition) => {
      while (!condition()) {
        await at.clock.advance(0);
        await turn();
      }
    },
  };
}

/** The newest three things of an organisation that count, and how many it has. */
function thingsView(sync: Sync<Sql>, table: string, rendered: (titles: string) => void): AnyView {
  return defineView({
    name: "things",
    state: () => ({ organization: 1 }),
    watch: (rows) => ({
      things: rows(sync, {
        table,
        key: ({ state }) => state.organization,
        load: (sql, key) =>
          sql<Thing[]>`SELECT * FROM ${sql(table)} WHERE organization_id = ${
            Number(key)
          } AND n > 0`,
        where: ({ n }) => n > 0,
        orderBy: "-id",
        limit: 3,
      }),
      count: rows(sync, {
        table,
        key: ({ state }) => state.organization,
        load: async (sql, key) => {
          const [row] = await sql<{ count: number }[]>`
            SELECT count(*)::int AS count FROM ${sql(table)} WHERE organization_id = ${
            Number(key)
          }`;
          return row?.count ?? 0;
        },
      }),
    }),
    events: {
      move(ctx) {
        ctx.state.organization = 2;
      },
    },
    render: ({ ctx: { rows } }) => {
      const titles = (rows.things.value ?? []).map(({ title }) => title).join(" ");
      rendered(titles);
      return `${titles} of ${rows.count.value}`;
    },
  });
}

test("[LV50] a view shows what a definition watches in Postgres, and never the rows of another key", async (t) => {
  const { sync, table } = await w.follow(t);
  await w.run(`INSERT INTO ${table} VALUES (1, 1, 'a', 1), (2, 2, 'theirs', 1)`);
  const renders: string[] = [];
  const view = thingsView(sync, table, (titles) => void renders.push(titles));
  const at = realWorld();
  const node = at.live([view]);
  const html = await (await node.app.request("https://app.example/things")).text();
  assert(html.includes("a of 1<"), html);
  const page = await Page.open(at, node, "/things");
  assertEquals(page.root().html, "a of 1");
  await w.run(`INSERT INTO ${table} VALUES (1, 3, 'b', 1), (1, 4, 'not', 0);
    INSERT INTO ${table} VALUES (1, 5, 'c', 1)`);
  await at.until(() => page.root().html === "c b a of 4");
  assert(!renders.includes("b a"), "a part of a transaction was shown");
  await w.run(`UPDATE ${table} SET organization_id = 2 WHERE id = 5`);
  await at.until(() => page.root().html === "b a of 3");
  assert(!JSON.stringify(page.frames).includes("theirs"));
  await page.event("move");
  assertEquals(page.root().html, "c theirs of 2");
  await w.run(
    `INSERT INTO ${table} VALUES (1, 6, 'behind', 1)`,
    `INSERT INTO ${table} VALUES (2, 7, 'here', 1)`,
  );
  await at.until(() => page.root().html === "here c theirs of 3");
  assert(!JSON.stringify(page.frames).includes("behind"));
});
