import { Hono } from "hono";
import { csrf } from "hono/csrf";
import type { OpenWatch, Sync, WatchOptions, WatchSnapshot } from "holdfast/postgres";
import type { Sql, TransactionSql } from "postgres";
import { orderRows, page } from "./page.ts";
import { type Order, organizations } from "./schema.ts";

/** What every page watches; opened with the organisation as the key. */
const watchOptions: WatchOptions<readonly Order[], TransactionSql> = {
  table: "orders",
  load: (sql, key) => sql<Order[]>`SELECT * FROM orders WHERE organization = ${String(key)}`,
  where: true,
  orderBy: "id",
};

/**
 * The application: one page for each organisation.
 *
 * Whose page it is stands in the path here, so that two can be looked at side by side. An application
 * takes it from the session: whoever chooses the key sees the rows.
 */
export function ordersApp(sql: Sql, sync: Sync<Sql>): Hono {
  const app = new Hono();
  app.use(csrf());
  app.get("/", (c) => c.redirect(`/${organizations[0]}`));
  app.use("/:organization/*", async (c, next) => {
    if (!organizations.includes(c.req.param("organization"))) return c.notFound();
    await next();
  });
  app.get("/:organization", async (c) => {
    const organization = c.req.param("organization");
    if (!organizations.includes(organization)) return c.notFound();
    const orders = sync.open(watchOptions, organization);
    try {
      const { value = [] } = await orders.ready();
      return c.html(page(organization, value));
    } finally {
      orders.close();
    }
  });
  app.get("/:organization/events", (c) => {
    const organization = c.req.param("organization");
    return events(organization, sync.open(watchOptions, organization), c.req.raw.signal);
  });
  app.post("/:organization/orders", async (c) => {
    const { item, quantity } = await c.req.parseBody();
    const organization = c.req.param("organization");
    await sql`INSERT INTO orders (organization, item, quantity)
      VALUES (${organization}, ${String(item)}, ${Number(quantity)})`;
    return c.redirect(`/${organization}`, 303);
  });
  app.post("/:organization/orders/:id{[0-9]+}", async (c) => {
    const { organization, id } = c.req.param();
    const { status } = await c.req.parseBody();
    if (status === "gone") {
      await sql`DELETE FROM orders WHERE id = ${id} AND organization = ${organization}`;
    } else {
      await sql`UPDATE orders SET status = ${String(status)}
        WHERE id = ${id} AND organization = ${organization}`;
    }
    return c.redirect(`/${organization}`, 303);
  });
  return app;
}

/** Server-sent events: the rows, now and after each change, until the browser is gone. */
function events(
  organization: string,
  orders: OpenWatch<readonly Order[]>,
  signal: AbortSignal,
): Response {
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      const send = async ({ value, status }: WatchSnapshot<readonly Order[]>): Promise<void> => {
        if (value === undefined) return;
        const rows = JSON.stringify(String(await orderRows(organization, value)));
        // One that reads slowly gets the last state, not all of them.
        if (signal.aborted || (controller.desiredSize ?? 0) < -MOST_UNREAD) return;
        const text = `event: rows\ndata: ${rows}\n\nevent: status\ndata: ${status}\n\n`;
        controller.enqueue(encoder.encode(text));
      };
      signal.addEventListener("abort", () => orders.close(), { once: true });
      orders.subscribe((snapshot) => void send(snapshot));
      void send(orders.getSnapshot());
    },
    cancel: () => orders.close(),
  });
  return new Response(body, {
    headers: { "content-type": "text/event-stream", "cache-control": "no-store" },
  });
}

/** Messages that may wait for a browser that does not read. */
const MOST_UNREAD = 100;
