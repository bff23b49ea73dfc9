import { assert, assertEquals, test } from "../harness/mod.ts";
import { type Following, followTables, until, world } from "./fixtures/world.ts";

interface Item {
  readonly id: number;
  readonly name: string;
}

interface Order {
  readonly id: number;
  readonly title: string;
  readonly customer_id: number | null;
  readonly items: readonly Item[];
  readonly customer: { readonly id: number; readonly name: string } | null;
}

const w = await world();
const { sql, run } = w;

interface Shop extends Following {
  readonly orders: string;
  readonly items: string;
  readonly customers: string;
}

async function shop(t: Parameters<typeof followTables>[0]): Promise<Shop> {
  const [orders, items, customers] = ["orders", "items", "customers"].map((name) => w.name(name));
  await run(
    `CREATE TABLE ${customers} (org int NOT NULL, id int PRIMARY KEY, name text)`,
    `CREATE TABLE ${orders} (org int NOT NULL, id int PRIMARY KEY, title text,
      customer_id int REFERENCES ${customers})`,
    `CREATE TABLE ${items} (org int NOT NULL, id int PRIMARY KEY, order_id int REFERENCES ${orders}, name text)`,
    `INSERT INTO ${customers} VALUES (1, 1, 'Ann'), (1, 2, 'Bob'), (2, 3, 'Eve')`,
    `INSERT INTO ${orders} VALUES (1, 1, 'first', 1), (1, 2, 'second', NULL), (2, 3, 'theirs', 3)`,
    `INSERT INTO ${items} VALUES (1, 1, 1, 'pen'), (1, 2, 1, 'ink'), (2, 3, 3, 'theirs')`,
  );
  const tables = Object.fromEntries(
    [orders, items, customers].map((name) => [name!, { key: "org" }]),
  );
  const following = await followTables(t, sql, tables, w.name());
  return { ...following, orders: orders!, items: items!, customers: customers! };
}

function watchOf({ sync, orders, items, customers }: Shop) {
  return sync.watch<readonly Order[]>({
    table: orders,
    key: 1,
    orderBy: "id",
    with: {
      items: { table: items, by: "order_id", orderBy: "name" },
      customer: { table: customers, by: "customer_id", many: false },
    },
  });
}

function shown(orders: readonly Order[]): string {
  return orders.map(({ title, customer, items }) =>
    `${title}:${customer?.name ?? "-"}:${items.map(({ name }) => name).join(",")}`
  ).join(" ");
}

function loads({ events }: Shop): number {
  return events.filter((event) => event.name === "holdfast.sync.load" && event.error === undefined)
    .length;
}

test("[SY16] rows that lie in others come, change, move and go with the log alone", async (t) => {
  const s = await shop(t);
  const watch = watchOf(s);
  assertEquals(shown((await watch.ready()).value!), "first:Ann:ink,pen second:-:");
  const before = loads(s);
  const { orders, items, customers } = s;
  const steps: readonly (readonly [string, string])[] = [
    [`INSERT INTO ${items} VALUES (1, 4, 2, 'cup')`, "first:Ann:ink,pen second:-:cup"],
    [`UPDATE ${items} SET name = 'nib' WHERE id = 2`, "first:Ann:nib,pen second:-:cup"],
    [`UPDATE ${items} SET order_id = 2 WHERE id = 1`, "first:Ann:nib second:-:cup,pen"],
    [`DELETE FROM ${items} WHERE id = 4`, "first:Ann:nib second:-:pen"],
    [`UPDATE ${customers} SET name = 'Anna' WHERE id = 1`, "first:Anna:nib second:-:pen"],
    [
      `UPDATE ${orders} SET customer_id = 1, title = 'next' WHERE id = 2`,
      "first:Anna:nib next:Anna:pen",
    ],
    [`UPDATE ${orders} SET customer_id = NULL WHERE id = 1`, "first:-:nib next:Anna:pen"],
    [`UPDATE ${items} SET org = 2 WHERE id = 2`, "first:-: next:Anna:pen"],
    [`UPDATE ${items} SET name = 'foreign' WHERE id = 3`, "first:-: next:Anna:pen"],
    [`TRUNCATE ${items}`, "first:-: next:Anna:"],
  ];
  for (const [statement, expected] of steps) {
    await run(statement);
    await until(watch, (rows) => shown(rows) === expected);
  }
  assertEquals(loads(s), before);
});

test("[SY16] what the log cannot tell of rows that lie in others is loaded", async (t) => {
  const s = await shop(t);
  const watch = watchOf(s);
  await watch.ready();
  const { orders, items, customers } = s;
  // Bob is in no order so far, and a new order may have items of before.
  await run(`UPDATE ${orders} SET customer_id = 2 WHERE id = 1`);
  await until(watch, (rows) => shown(rows) === "first:Bob:ink,pen second:-:");
  await sql.begin((tx) =>
    tx.unsafe(
      `INSERT INTO ${orders} VALUES (1, 4, 'fourth', 1); INSERT INTO ${items} VALUES (1, 9, 4, 'new')`,
    )
  );
  await until(watch, (rows) => shown(rows).endsWith("fourth:Ann:new"));
  await run(`UPDATE ${items} SET org = 1, order_id = 2 WHERE id = 3`);
  await until(watch, (rows) => shown(rows).includes("second:-:theirs"));
  await run(`DELETE FROM ${items} WHERE order_id = 4`, `DELETE FROM ${orders} WHERE id = 4`);
  await until(watch, (rows) => rows.length === 2);
  await run(`UPDATE ${orders} SET customer_id = NULL`, `DELETE FROM ${customers} WHERE id = 2`);
  await until(watch, (rows) => rows[0]!.customer === null);
});

test("[SY16] rows lie in rows that lie in others", async (t) => {
  const s = await shop(t);
  const watch = s.sync.watch<readonly { name: string; orders: readonly Order[] }[]>({
    table: s.customers,
    key: 1,
    orderBy: "id",
    with: {
      orders: {
        table: s.orders,
        by: "customer_id",
        with: { items: { table: s.items, by: "order_id", orderBy: "id" } },
      },
    },
  });
  const look = (rows: readonly { name: string; orders: readonly Order[] }[]): string =>
    rows.map(({ name, orders }) =>
      `${name}[${orders.map(({ items }) => items.map((item) => item.name).join("+")).join()}]`
    ).join(" ");
  assertEquals(look((await watch.ready()).value!), "Ann[pen+ink] Bob[]");
  await run(`UPDATE ${s.items} SET name = 'nib' WHERE id = 2`);
  await until(watch, (rows) => look(rows) === "Ann[pen+nib] Bob[]");
  await run(`UPDATE ${s.orders} SET customer_id = 2 WHERE id = 1`);
  await until(watch, (rows) => look(rows) === "Ann[] Bob[pen+nib]");
  await run(`INSERT INTO ${s.items} VALUES (1, 7, 1, 'cap')`);
  await until(watch, (rows) => look(rows) === "Ann[] Bob[pen+nib+cap]");
});

test("[SY29] a view, a join or a count is loaded again when a table below it changes", async (t) => {
  const s = await shop(t);
  const { orders, items } = s;
  await run(`CREATE VIEW ${orders}_view AS SELECT o.org, o.title, count(i.id)::int AS n
    FROM ${orders} o LEFT JOIN ${items} i ON i.order_id = o.id GROUP BY o.id ORDER BY o.id`);
  const watch = s.sync.watch({
    table: orders,
    key: 1,
    uses: [items],
    load: (tx, key) =>
      tx<{ title: string; n: number }[]>`SELECT title, n FROM ${tx(`${orders}_view`)} WHERE org = ${
        Number(key)
      }`,
  });
  const counts = (rows: readonly { n: number }[]): string => rows.map(({ n }) => n).join();
  assertEquals(counts((await watch.ready()).value!), "2,0");
  await run(`INSERT INTO ${items} VALUES (1, 5, 2, 'cup')`);
  await until(watch, (rows) => counts(rows) === "2,1");
  const before = loads(s);
  await sql.begin(async (tx) => {
    for (let id = 10; id < 60; id++) {
      await tx.unsafe(`INSERT INTO ${items} VALUES (1, ${id}, 2, 'x')`);
    }
  });
  await until(watch, (rows) => counts(rows) === "2,51");
  assert(loads(s) - before <= 2, "a transaction cost more than a load");
  await run(`INSERT INTO ${items} VALUES (2, 90, 3, 'theirs')`);
});

test("[SY30] a query that was built elsewhere is run in the transaction of the load", async (t) => {
  const s = await shop(t);
  const query = `SELECT org, id, title, txid_current_if_assigned() IS NULL AND
    current_setting('transaction_read_only') = 'on' AS inside FROM ${s.orders} WHERE org = $1 ORDER BY id`;
  const builders = [
    // As Kysely's, which is no promise.
    { compile: () => ({ sql: query, parameters: [1] }) },
    // As Drizzle's, which would run on a connection of its own once it is awaited.
    {
      toSQL: () => ({ sql: query, params: [1] }),
      then: () => {
        throw new Error("It was awaited");
      },
    },
  ];
  for (const builder of builders) {
    const watch = s.sync.watch<readonly { id: number; inside: boolean }[]>({
      table: s.orders,
      key: 1,
      load: () => builder as never,
    });
    const { value } = await watch.ready();
    assertEquals(value?.map(({ id, inside }) => [id, inside]), [[1, true], [2, true]]);
    watch.close();
  }
});
