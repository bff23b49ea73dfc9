/** The app: a page, its script, and the socket of the notes. */
import type { Holdfast } from "holdfast";
import {
  documentSocket,
  type DocumentSocketOptions,
  session,
  type SessionEnv,
} from "holdfast/hono";
import { openYjs } from "holdfast/yjs";
import { Hono } from "hono";
import { html } from "hono/html";
import { Me, Notes } from "./notes.ts";
import { style } from "./style.ts";

const id = "harbour";
const longestName = 40;

/** Makes the app on a holdfast, with the sockets of the runtime and the script of the page. */
export function createApp(
  holdfast: Holdfast,
  upgradeWebSocket: DocumentSocketOptions["upgradeWebSocket"],
  script: string,
): Hono<SessionEnv> {
  const app = new Hono<SessionEnv>();
  app.get("/style.css", (c) => c.body(style, 200, { "content-type": "text/css; charset=utf-8" }));
  app.get("/page.js", (c) => c.body(script, 200, { "content-type": "text/javascript" }));
  app.use(session(holdfast));

  app.get("/", async (c) => {
    const { state: me } = await c.var.session.stash(Me);
    const text = openYjs(await holdfast.document(Notes, id).state()).getText("body").toString();
    return await c.html(page(me.name, text));
  });

  app.post("/name", async (c) => {
    const { name } = await c.req.parseBody();
    const me = await c.var.session.stash(Me);
    me.state.name = typeof name === "string" ? name.trim().slice(0, longestName) : "";
    await me.stash();
    return c.redirect("/", 303);
  });

  app.get(
    "/notes",
    documentSocket(holdfast, Notes, {
      upgradeWebSocket,
      id: () => id,
      // Who has not said who they are may read.
      access: async (c) => {
        const me = await c.get("session")?.stash(Me);
        const name = me?.state.name ?? "";
        return { actor: name === "" ? null : name, readOnly: name === "" };
      },
    }),
  );
  return app;
}

function page(name: string, text: string): ReturnType<typeof html> {
  return html`
    <!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <title>Harbour notes</title>
        <link rel="stylesheet" href="/style.css">
        <link rel="icon" href="data:,">
      </head>
      <body>
        <main>
          <header>
            <h1>Harbour notes</h1>
            <ul id="crew" aria-label="Who is here"></ul>
            <p id="status" role="status">Connecting …</p>
          </header>
          <form method="post" action="/name">
            <label for="name">${name === ""
              ? "Your name, to write with the others"
              : "Your name"}</label>
            <input id="name" name="name" value="${name}" maxlength="${longestName}"
              autocomplete="nickname" required>
            <button>${name === "" ? "Write" : "Change"}</button>
          </form>
          <div id="editor" data-name="${name}">
            <pre>${text}</pre>
          </div>
        </main>
        <script type="module" src="/page.js"></script>
      </body>
    </html>
  `;
}
