/** The app: a session, the live routes, one page. */
import type { Holdfast } from "holdfast";
import { session, type SessionEnv } from "holdfast/hono";
import { createLive, type Live, type LiveOptions } from "holdfast/live";
import { Hono } from "hono";
import { html } from "hono/html";
import { style } from "./style.ts";
import { Todos } from "./todos.ts";

/** Makes the app on a holdfast, with the sockets of the runtime. */
export function createApp(
  holdfast: Holdfast,
  upgradeWebSocket: NonNullable<LiveOptions["upgradeWebSocket"]>,
): { readonly app: Hono<SessionEnv>; readonly live: Live } {
  const live = createLive(holdfast, { upgradeWebSocket, views: [Todos] });
  const app = new Hono<SessionEnv>();
  app.get("/style.css", (c) => c.body(style, 200, { "content-type": "text/css; charset=utf-8" }));
  app.use(session(holdfast));
  app.all("/live/*", live.routes());
  app.all(
    "/",
    live.page(Todos, {
      layout: ({ content, script }) =>
        html`
          <!doctype html>
          <html lang="en">
            <head>
              <meta charset="utf-8">
              <meta name="viewport" content="width=device-width, initial-scale=1">
              <meta name="color-scheme" content="light dark">
              <title>Todos</title>
              <link rel="stylesheet" href="/style.css">
              <link rel="icon" href="data:,">
            </head>
            <body>
                                <main>
                                  <h1>Todos</h1>
                                  ${content}
                                </main>
                                ${script}
                              </body>
          </html>
        `,
    }),
  );
  return { app, live };
}
