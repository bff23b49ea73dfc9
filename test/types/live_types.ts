/** Compile-time tests: checked by `npm run check`, never executed. */
import type { Sql, TransactionSql } from "postgres";
import * as v from "valibot";
import type { Sync, WatchOptions } from "../../adapters/postgres/mod.ts";
import { defineView, on } from "../../src/live/definition.ts";
import type { EventInput, ViewContext, ViewDefinition } from "../../src/live/model.ts";

/** Compiles only if both types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true
  : false;

function holds<_T extends true>(): void {}

// The state's type flows from state() into every function.

const Settings = defineView({
  name: "settings",
  vsn: 2,
  stored: { theme: "session", draft: "reconnect" },
  state: () => ({ theme: "light" as "light" | "dark", draft: "", open: false }),
  mount(ctx) {
    holds<Same<typeof ctx.state.theme, "light" | "dark">>();
  },
  events: {
    toggle({ state }, input) {
      holds<Same<typeof state.open, boolean>>();
      holds<Same<typeof input, EventInput>>();
      state.open = !state.open;
    },
    rename: {
      input: v.object({ draft: v.string() }),
      run(ctx, input) {
        holds<Same<typeof input, { draft: string }>>();
        holds<Same<typeof ctx.state.theme, "light" | "dark">>();
      },
    },
    arrow: (ctx) => ctx.state.draft,
  },
  render: ({ state, ctx }) => `${state.draft}${ctx.mounts}`,
});
holds<
  Same<
    typeof Settings,
    ViewDefinition<{ theme: "light" | "dark"; draft: string; open: boolean }>
  >
>();
void (null as unknown as ViewContext<{ a: 1 }>);

interface Theme {
  theme: "light" | "dark";
}
const Explicit = defineView<Theme>({
  name: "explicit",
  state: () => ({ theme: "light" }),
  events: {
    save: on(v.object({ theme: v.picklist(["light", "dark"]) }), (ctx, input, event) => {
      holds<Same<typeof input, { theme: "light" | "dark" }>>();
      holds<Same<typeof event.id, string>>();
      ctx.state.theme = input.theme;
      // @ts-expect-error: the state has no such key
      ctx.state.other = 1;
    }),
  },
  render: ({ state }) => state.theme,
});
holds<Same<typeof Explicit, ViewDefinition<Theme>>>();

defineView({
  name: "annotated",
  state: (): Theme => ({ theme: "light" }),
  events: {
    save: on(v.object({ n: v.number() }), (ctx: ViewContext<Theme>, input) => {
      holds<Same<typeof input, { n: number }>>();
      ctx.state.theme = "dark";
    }),
  },
  render: ({ state }) => state.theme,
});
defineView({
  name: "mismatch",
  state: (): Theme => ({ theme: "light" }),
  events: {
    // @ts-expect-error: the context of another view
    save: on(v.object({ n: v.number() }), (ctx: ViewContext<{ other: string }>) => {
      ctx.state.other = "dark";
    }),
  },
  render: ({ state }) => state.theme,
});

// What a view watches is typed by what loads it, wherever the view's functions see it.

interface Order {
  readonly id: number;
  readonly title: string;
}
declare const sync: Sync<Sql>;
const shared: WatchOptions<readonly Order[], TransactionSql> = { table: "orders" };

const Watching = defineView({
  name: "watching",
  state: () => ({ organization: "acme" as string | null }),
  watch: (rows) => ({
    orders: rows(sync, {
      table: "orders",
      key(ctx) {
        holds<Same<typeof ctx.state, { organization: string | null }>>();
        // @ts-expect-error: what is watched cannot say whose rows are watched
        void ctx.rows;
        return ctx.state.organization;
      },
      load(sql, key) {
        holds<Same<typeof sql, TransactionSql>>();
        return sql<Order[]>`SELECT * FROM orders WHERE organization = ${String(key)}`;
      },
      where(order) {
        holds<Same<typeof order, Order>>();
        return order.title !== "";
      },
      orderBy: (a, b) => a.id - b.id,
    }),
    count: rows(sync, {
      table: "orders",
      key: ({ state }) => state.organization,
      load: async (sql) => (await sql`SELECT FROM orders`).length,
    }),
    plain: rows(sync, { ...shared, key: ({ state }) => state.organization }),
  }),
  mount(ctx) {
    holds<Same<typeof ctx.rows.count.value, number | undefined>>();
  },
  events: {
    look({ rows }) {
      holds<Same<typeof rows.plain.value, readonly Order[] | undefined>>();
      holds<Same<keyof typeof rows, "orders" | "count" | "plain">>();
    },
    checked: {
      input: v.object({ id: v.number() }),
      run: ({ rows }, { id }) => void rows.orders.value?.find((order) => order.id === id)?.title,
    },
  },
  render({ ctx: { rows } }) {
    // @ts-expect-error: nothing of this name is watched
    void rows.others;
    return rows.orders.value?.map(({ title }) => title.trim()).join() ?? "";
  },
});
holds<Same<typeof Watching, ViewDefinition<{ organization: string | null }>>>();
defineView({
  name: "without",
  state: () => ({ a: 1 }),
  // @ts-expect-error: nothing is watched
  render: ({ ctx }) => String(ctx.rows.orders),
});
defineView({
  name: "keyless",
  state: () => ({ a: 1 }),
  // @ts-expect-error: a key is needed
  watch: (rows) => ({ orders: rows(sync, { table: "orders" }) }),
  render: () => "",
});
