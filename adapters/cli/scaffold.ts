/** What an application can run on. */
export type Runtime = "bun" | "deno" | "node";

/** What was asked for. */
export interface Wish {
  readonly runtime: Runtime;
  readonly live: boolean;
  readonly name: string;
  /** Where npm gets the library from; the range of this version if absent. */
  readonly holdfast: string | undefined;
}

/** The range of this version. */
export const VERSION = "^0.1.0";

/** The files of a new application, by name. Pure: writing them is for the caller. */
export function filesOf(wish: Wish): Readonly<Record<string, string>> {
  const manifest = wish.runtime === "deno" ? "deno.json" : "package.json";
  const files: Record<string, string> = {
    [manifest]: `${JSON.stringify(manifestOf(wish), null, 2)}\n`,
    ".gitignore": GITIGNORE,
    "README.md": readme(wish),
    "secret.ts": SECRET,
    "app.ts": wish.live ? LIVE_APP : APP,
    "main.ts": main(wish),
    "app.test.ts": wish.live ? LIVE_TEST : TEST,
  };
  // On JSR it has another name.
  if (wish.runtime !== "deno") return files;
  const renamed = Object.entries(files).map(([file, text]) => [
    file,
    file.endsWith(".ts") ? text.replace(/from "holdfast/g, 'from "@holdfast/holdfast') : text,
  ]);
  return Object.fromEntries(renamed);
}

function manifestOf({ runtime, live, name, holdfast = VERSION }: Wish): object {
  if (runtime === "deno") {
    return {
      tasks: { start: "deno run -A main.ts", test: "deno test -A" },
      imports: { "@holdfast/holdfast": `jsr:@holdfast/holdfast@${VERSION}`, hono: "npm:hono@^4" },
      nodeModulesDir: "auto",
    };
  }
  const forLive = live ? { jose: "^6.0.0", valibot: "^1.0.0" } : {};
  const forNode = { "@hono/node-server": "^2.0.0", ...(live ? { ws: "^8.18.0" } : {}) };
  return {
    name,
    private: true,
    type: "module",
    scripts: runtime === "bun"
      ? { start: "bun main.ts", test: "bun test" }
      : { start: "node main.ts", test: "node --test" },
    dependencies: {
      ...(runtime === "node" ? forNode : {}),
      holdfast,
      hono: "^4.0.0",
      ...forLive,
    },
    // Node runs TypeScript by itself from here on.
    ...(runtime === "node" ? { engines: { node: ">=22.18" } } : {}),
  };
}

const GITIGNORE = `node_modules/
# The state of sessions, and the secret of this machine: neither belongs into a repository.
*.db
*.db-shm
*.db-wal
.dev-secret
.env
`;

const SECRET = `import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { randomBytes } from "node:crypto";
import process from "node:process";

const FILE = ".dev-secret";

/** Whether this is production: then the cookie needs https, and SECRET has to be set. */
export const production = process.env["NODE_ENV"] === "production";

/**
 * The secret that signs the session cookie: SECRET of the environment (openssl rand -base64 32).
 * Without it, and not in production, one is made and kept in .dev-secret, for this machine only.
 */
export function readSecret(): string {
  const given = process.env["SECRET"];
  if (given) return given;
  if (production) throw new Error("Cannot start: SECRET is not set");
  if (!existsSync(FILE)) {
    writeFileSync(FILE, randomBytes(32).toString("base64url"), { mode: 0o600, flag: "wx" });
  }
  console.warn(\`SECRET is not set: using the development secret in \${FILE}\`);
  return readFileSync(FILE, "utf8").trim();
}
`;

const APP = `import type { Holdfast } from "holdfast";
import { defineStash } from "holdfast";
import { session, type SessionEnv } from "holdfast/hono";
import { Hono } from "hono";
import { csrf } from "hono/csrf";
import { html } from "hono/html";

const Notes = defineStash({
  name: "notes",
  vsn: 1,
  stored: ["items"],
  state: () => ({ items: [] as string[] }),
});

/** Makes the app on a holdfast; the test hands in one in memory. */
export function createApp(holdfast: Holdfast): Hono<SessionEnv> {
  const app = new Hono<SessionEnv>();
  app.use(csrf());
  app.use(session(holdfast));

  app.get("/", async (c) => {
    const notes = await c.var.session.stash(Notes);
    return c.html(html\`<!doctype html>
      <html lang="en">
        <title>Notes</title>
        <h1>Notes</h1>
        <ul>\${notes.state.items.map((item) => html\`<li>\${item}</li>\`)}</ul>
        <form method="post">
          <input name="note" required maxlength="200" aria-label="Note">
          <button>Add</button>
        </form>
      </html>\`);
  });

  app.post("/", async (c) => {
    const { note } = await c.req.parseBody();
    if (typeof note !== "string" || note === "" || note.length > 200) {
      return c.text("A note has 1 to 200 characters", 400);
    }
    const notes = await c.var.session.stash(Notes);
    // Reads and writes in one step: two tabs at once lose nothing. Durable when it resolves.
    await notes.update((state) => void state.items.push(note));
    return c.redirect("/", 303);
  });

  return app;
}
`;

const TEST = `import assert from "node:assert/strict";
import { test } from "node:test";
import { createHoldfast } from "holdfast";
import { memoryStorage } from "holdfast/memory";
import { createApp } from "./app.ts";

const secrets = [crypto.getRandomValues(new Uint8Array(32))];
const origin = "http://localhost:3000";

test("a note is there for its session, in a new process too, and for no other", async () => {
  const storage = memoryStorage();
  const one = createHoldfast({ storage, secrets, cookie: { dev: true }, sweepEveryMs: Infinity });
  const posted = await createApp(one).request(\`\${origin}/\`, {
    method: "POST",
    headers: { origin, "content-type": "application/x-www-form-urlencoded" },
    body: "note=Buy+kelp",
  });
  assert.equal(posted.status, 303);
  const cookie = posted.headers.get("set-cookie")?.split(";")[0] ?? "";

  // What a process knows is in the storage: another one goes on with it.
  const two = createHoldfast({ storage, secrets, cookie: { dev: true }, sweepEveryMs: Infinity });
  const app = createApp(two);
  const page = await (await app.request(\`\${origin}/\`, { headers: { cookie } })).text();
  assert.match(page, /<li>Buy kelp<\\/li>/);
  assert.doesNotMatch(await (await app.request(\`\${origin}/\`)).text(), /Buy kelp/);
  await one.close();
});

test("a form of another site is refused", async () => {
  const holdfast = createHoldfast({ storage: memoryStorage(), secrets, cookie: { dev: true } });
  const answer = await createApp(holdfast).request(\`\${origin}/\`, {
    method: "POST",
    headers: {
      origin: "http://elsewhere.example",
      "content-type": "application/x-www-form-urlencoded",
    },
    body: "note=spam",
  });
  assert.equal(answer.status, 403);
  await holdfast.close();
});
`;

const LIVE_APP = `import { defineStash, type Holdfast } from "holdfast";
import { session, type SessionEnv } from "holdfast/hono";
import { createLive, defineView, type Live, type LiveOptions } from "holdfast/live";
import { Hono } from "hono";
import { html, raw } from "hono/html";

/** What the client says of the page: that it is cut off, and that a note may not have arrived. */
const STYLE = \`
  [data-live-state="reconnecting"], [data-live-state="offline"] { opacity: 0.6; }
  [data-live-unsent]::after { content: "Not saved. Please try again."; }
\`;

/** What was added: it belongs to the session, and every tab may add to it. */
const Items = defineStash({
  name: "items",
  vsn: 1,
  stored: ["items"],
  state: () => ({ items: [] as string[] }),
});

const Notes = defineView({
  name: "notes",
  vsn: 1,
  // What is half typed belongs to this page, over reconnects.
  stored: { note: "reconnect" },
  state: () => ({ items: [] as string[], note: "" }),
  async mount({ state, session }) {
    state.items = (await session.stash(Items)).state.items;
  },
  events: {
    edit: ({ state }, input) => {
      state.note = textOf(input).slice(0, 200);
    },
    async add({ state, session }, input) {
      const note = textOf(input).slice(0, 200);
      const items = await session.stash(Items);
      // Reads and writes in one step: two tabs at once lose nothing.
      if (note !== "") await items.update((stored) => void stored.items.push(note));
      state.items = items.state.items;
      state.note = "";
    },
  },
  // Another tab has stored something.
  async info({ state, session }) {
    state.items = (await session.stash(Items)).state.items;
  },
  render: ({ state }) =>
    html\`<ul>\${state.items.map((item) => html\`<li>\${item}</li>\`)}</ul>
      <form id="notes" method="post" data-live-change="edit" data-live-submit="add">
        <input name="note" value="\${state.note}" maxlength="200" aria-label="Note">
        <button name="_event" value="add">Add</button>
      </form>\`,
});

/** What a browser sends is not to be trusted. */
function textOf(input: unknown): string {
  const note = (input as { note?: unknown } | null)?.note;
  return typeof note === "string" ? note : "";
}

/** Makes the app on a holdfast, with the sockets of the runtime; the test has none. */
export function createApp(
  holdfast: Holdfast,
  upgradeWebSocket?: NonNullable<LiveOptions["upgradeWebSocket"]>,
): { readonly app: Hono<SessionEnv>; readonly live: Live } {
  const live = createLive(holdfast, {
    ...(upgradeWebSocket === undefined ? {} : { upgradeWebSocket }),
    views: [Notes],
  });
  const app = new Hono<SessionEnv>();
  app.use(session(holdfast));
  app.all("/live/*", live.routes());
  app.all("/", live.page(Notes, {
    layout: ({ content, script }) =>
      html\`<!doctype html>
        <html lang="en">
          <head><title>Notes</title><style>\${raw(STYLE)}</style></head>
          <body><h1>Notes</h1>\${content}\${script}</body>
        </html>\`,
  }));
  return { app, live };
}
`;

const LIVE_TEST = `import assert from "node:assert/strict";
import { test } from "node:test";
import { createHoldfast } from "holdfast";
import { memoryStorage } from "holdfast/memory";
import { createApp } from "./app.ts";

const secrets = [crypto.getRandomValues(new Uint8Array(32))];

test("the page has its form before any script runs, and a cookie of its own", async () => {
  const holdfast = createHoldfast({
    storage: memoryStorage(),
    secrets,
    cookie: { dev: true },
    sweepEveryMs: Infinity,
  });
  const { app } = createApp(holdfast);
  const answer = await app.request("http://localhost:3000/");
  assert.equal(answer.status, 200);
  const page = await answer.text();
  assert.match(page, /<input name="note" value=""/);
  // Who sends it before the script is there posts it; else it would be lost, with the note in the address.
  assert.match(page, /<form id="notes" method="post"/);
  assert.match(page, /name="_event" value="add"/);
  assert.match(answer.headers.get("set-cookie") ?? "", /HttpOnly/);
  await holdfast.close();
});

test("notes that several tabs add at once are all there", async () => {
  const holdfast = createHoldfast({
    storage: memoryStorage(),
    secrets,
    cookie: { dev: true },
    sweepEveryMs: Infinity,
  });
  const { app } = createApp(holdfast);
  const origin = "http://localhost:3000";
  const add = (note: string, cookie = "") =>
    app.request(\`\${origin}/\`, {
      method: "POST",
      headers: { origin, cookie, "content-type": "application/x-www-form-urlencoded" },
      body: \`_event=add&note=\${note}\`,
    });
  const first = await add("kelp");
  assert.equal(first.status, 303);
  const cookie = first.headers.get("set-cookie")?.split(";")[0] ?? "";
  await Promise.all(["rope", "salt", "oars"].map((note) => add(note, cookie)));
  const page = await (await app.request(\`\${origin}/\`, { headers: { cookie } })).text();
  for (const note of ["kelp", "rope", "salt", "oars"]) assert.match(page, new RegExp(\`<li>\${note}</li>\`));
  await holdfast.close();
});
`;

function main({ runtime, live }: Wish): string {
  const imports = live ? "serve, upgradeWebSocket" : "serve";
  const made = live
    ? "const { app, live } = createApp(holdfast, upgradeWebSocket);"
    : "const app = createApp(holdfast);";
  return `import process from "node:process";
import { createHoldfast } from "holdfast";
import { ${imports} } from "holdfast/${runtime}";
import { sqliteStorage } from "holdfast/sqlite";
import { createApp } from "./app.ts";
import { production, readSecret } from "./secret.ts";

const holdfast = createHoldfast({
  storage: sqliteStorage(process.env["DATABASE"] || "app.db"),
  secrets: [readSecret()],
  cookie: { dev: !production },
});
${made}
// On SIGTERM it finishes what it has accepted, then ends.
const server = await serve({
  fetch: app.fetch,
  hostname: process.env["HOST"] || "127.0.0.1",
  port: Number(process.env["PORT"] || 3000),
  holdfast,${live ? "\n  live," : ""}
});
console.log(\`Listening on \${server.url}\`);
`;
}

function readme({ runtime, name, live }: Wish): string {
  const [install, test, start] = {
    bun: ["bun install", "bun test", "bun run start"],
    deno: ["deno install", "deno task test", "deno task start"],
    node: ["npm install", "npm test", "npm start"],
  }[runtime];
  const needs = runtime === "node" ? "Node 22.18 or newer.\n\n" : "";
  return `# ${name}

${needs}\`\`\`sh
${install}
${test}
${start}    # http://localhost:3000
\`\`\`

Add a note, stop the server (\`kill -9\` too), start it again, reload: the note is there${
    live ? ", and so is what was half typed" : ""
  }.

| variable   | default    | what                                                                  |
| ---------- | ---------- | --------------------------------------------------------------------- |
| \`SECRET\`   | made once  | signs the cookie; required with \`NODE_ENV=production\`                 |
| \`DATABASE\` | \`app.db\`   | the file of SQLite                                                    |
| \`HOST\`     | \`127.0.0.1\` | where it listens: this machine alone; in a container \`0.0.0.0\`       |
| \`PORT\`     | \`3000\`     |                                                                       |
| \`NODE_ENV\` |            | \`production\`: the cookie is sent over https alone                     |

\`app.ts\` is the application, \`main.ts\` the process around it, \`secret.ts\` its secret,
\`app.test.ts\` the test to go on from.
`;
}
