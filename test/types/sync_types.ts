import type postgres from "postgres";
import type { OpenWatch, Sync, TransactionOf } from "../../adapters/postgres/mod.ts";

/** True only if both are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true
  : false;

function check<T extends true>(): T | undefined {
  return undefined;
}

interface Order {
  readonly id: number;
  readonly title: string;
}

declare const sync: Sync<postgres.Sql>;

check<Same<TransactionOf<postgres.Sql>, postgres.TransactionSql>>();

// The rows' type comes from the query, and reaches the predicate, the order and the subscriber.
const orders = sync.watch({
  table: "orders",
  key: 1,
  load: (sql, key) => sql<Order[]>`SELECT * FROM orders WHERE organization_id = ${key.toString()}`,
  where: (order) => order.title !== "",
  orderBy: (a, b) => a.id - b.id,
});
orders.subscribe(({ value }) => value?.map((order) => order.title satisfies string));

const named: OpenWatch<readonly Order[]> = sync.watch<readonly Order[]>({
  table: "orders",
  key: "acme",
  onChange: (value) => value.filter(({ id }) => id > 1),
});
void named;

const single = sync.watch<Order | null>({
  table: "orders",
  key: 1n,
  one: true,
  where: ({ id }) => id === 7,
});
single.subscribe(({ value }) => value?.title satisfies string | undefined);

const count: OpenWatch<number> = sync.watch({
  table: "orders",
  key: 1,
  load: async (sql) => {
    const [row] = await sql<{ count: number }[]>`SELECT count(*)::int AS count FROM orders`;
    return row?.count ?? 0;
  },
});
void count;

// @ts-expect-error a key is needed
sync.watch({ table: "orders" });
// @ts-expect-error no property of an order
sync.watch<readonly Order[]>({ table: "orders", key: 1, where: (order) => order.nothing });
