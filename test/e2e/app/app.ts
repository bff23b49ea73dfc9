/** The routes and the layout. */
import type { Holdfast } from "holdfast";
import { session, type SessionEnv } from "holdfast/hono";
import { createLive, type LayoutParts, type Live } from "holdfast/live";
import { type Context, Hono } from "hono";
import { csrf } from "hono/csrf";
import { html } from "hono/html";
import type { Config } from "./config.ts";
import type { Markup } from "./facts.ts";
import { style } from "./style.ts";
import { Boom, mounts } from "./views/boom.ts";
import { Counter } from "./views/counter.ts";
import { Filters } from "./views/filters.ts";
import { List } from "./views/list.ts";
import { Settings } from "./views/settings.ts";
import { Side } from "./views/side.ts";
import { Signup } from "./views/signup.ts";
import { Upload } from "./views/upload.ts";
import { Wizard } from "./views/wizard.ts";

/** Pages of one view each. */
const pages = {
  counter: Counter,
  settings: Settings,
  signup: Signup,
  wizard: Wizard,
  filters: Filters,
  upload: Upload,
  list: List,
} as const;

/** What the runtimes have for sockets. */
export type Upgrade = NonNullable<Parameters<typeof createLive>[1]["upgradeWebSocket"]>;

/** The app, and its live views to be drained. */
export function createApp(
  holdfast: Holdfast,
  config: Config,
  upgradeWebSocket: Upgrade,
): { readonly app: Hono<SessionEnv>; readonly live: Live } {
  const { node, build, scale, drainMs, omitted } = config;
  const known = Object.entries(pages).filter(([name]) => !omitted.includes(name));
  const live = createLive(holdfast, {
    upgradeWebSocket,
    views: [...known.map(([, view]) => view), Boom, Side],
    node,
    build,
    timing: { heartbeatMs: Math.max(100, Math.round(25_000 * scale)) },
    drain: { withinMs: Math.round(drainMs * 0.6), spreadMs: Math.round(2000 * scale) },
  });
  const layout = document(config);
  const app = new Hono<SessionEnv>();
  app.use(strict);
  app.get("/style.css", (c) => c.body(style, 200, { "content-type": "text/css" }));
  app.use(session(holdfast));
  app.all("/live/*", live.routes());
  for (const [name, view] of known) {
    app.all(`/${name}`, live.page(view, { layout }));
  }
  app.get("/two", async (c) => {
    const roots = html`${await live.root(c, Counter)}${await live.root(c, Side)}`;
    return c.html(layout({ content: roots, script: live.script(), title: "Two" }));
  });
  app.get("/boom", async (c) => {
    const roots = html`${await live.root(c, Boom)}${await live.root(c, Side)}`;
    return c.html(layout({ content: roots, script: live.script(), title: "Boom" }));
  });
  app.use(csrf());
  app.post("/boom/mount", (c) => {
    mounts.fail = Number(c.req.query("fail"));
    return c.body(null, 204);
  });
  app.post("/login", async (c) => {
    await c.var.session.rotate();
    return c.redirect("/settings", 303);
  });
  app.post("/logout", async (c) => {
    await c.var.session.destroy();
    return c.redirect("/settings", 303);
  });
  app.get("/", (c) => c.html(layout({ content: index(), script: "", title: "Fixture app" })));
  return { app, live };
}

/** As strict as a policy gets: no inline script or style, nothing from elsewhere. */
async function strict(c: Context, next: () => Promise<void>): Promise<void> {
  await next();
  if (!c.res.headers.get("content-type")?.startsWith("text/html")) return;
  c.header(
    "content-security-policy",
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; " +
      "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  );
}

type Parts = { readonly [K in keyof LayoutParts]: LayoutParts[K] | string | Markup };

const names = [...Object.keys(pages), "boom", "two"];

function index(): Markup {
  return html`<ul>${names.map((name) => html`<li><a href="/${name}">${name}</a></li>`)}</ul>`;
}

function document({ scale, node }: Config): (parts: Parts) => Markup {
  const timing = JSON.stringify(timingOf(scale));
  return ({ content, script, title }) =>
    html`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width">
    <title>${title || "Fixture app"}</title>
    <meta name="live-timing" content="${timing}">
    <link rel="stylesheet" href="/style.css">
  </head>
  <body>
    <nav>${
      names.map((name) =>
        html`
          <a href="/${name}" data-live-link="navigate" data-testid="go-${name}">${name}</a>
        `
      )
    }</nav>
    <main>${content}</main>
    <form method="post" action="/login"><button data-testid="login">Log in</button></form>
    <form method="post" action="/logout"><button data-testid="logout">Log out</button></form>
    <footer>Rendered by <span data-testid="rendered-by">${node}</span></footer>
    ${script}
  </body>
</html>`;
}

/** What the client waits, shrunk. */
function timingOf(scale: number): Record<string, number | readonly number[]> {
  const ms = (value: number) => Math.ceil(value * scale);
  return {
    firstRetryMs: ms(250),
    retryMs: [250, 500, 1000, 2000, 5000, 10_000].map(ms),
    firstRejoinMs: ms(100),
    rejoinMs: [1000, 2000, 5000, 10_000].map(ms),
    pongMs: ms(10_000),
    stableMs: ms(5000),
    quietMs: ms(500),
  };
}
