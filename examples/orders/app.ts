/** The app: a session, the live routes, one page. */
import type { Holdfast } from "holdfast";
import { session, type SessionEnv } from "holdfast/hono";
import { createLive, type Live, type LiveOptions } from "holdfast/live";
import type { Sync } from "holdfast/postgres";
import { Hono } from "hono";
import { html } from "hono/html";
import type { Sql } from "postgres";
import { style } from "./style.ts";
import { ordersView } from "./view.ts";

/**
 * Makes the app on a holdfast, with the sockets of the runtime.
 *
 * @param sql Writes the orders; what is shown comes from the sync, whoever wrote it.
 */
export function createApp(
  holdfast: Holdfast,
  upgradeWebSocket: NonNullable<LiveOptions["upgradeWebSocket"]>,
  sql: Sql,
  sync: Sync<Sql>,
): { readonly app: Hono<SessionEnv>; readonly live: Live } {
  const view = ordersView(sql, sync);
  const live = createLive(holdfast, { upgradeWebSocket, views: [view] });
  const app = new Hono<SessionEnv>();
  app.get("/style.css", (c) => c.body(style, 200, { "content-type": "text/css; charset=utf-8" }));
  app.use(session(holdfast));
  app.all("/live/*", live.routes());
  app.all("/", live.page(view, { layout }));
  return { app, live };
}

type Layout = NonNullable<NonNullable<Parameters<Live["page"]>[1]>["layout"]>;

const layout: Layout = ({ content, script }) =>
  html`
    <!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <title>Orders</title>
        <link rel="stylesheet" href="/style.css">
        <link rel="icon" href="data:,">
      </head>
      <body>
        <main>${content}</main>
        ${script}
      </body>
    </html>
  `;
