/**
 * npm run demo:restart: a proxy, a node behind it, and a roll to the next version whenever you press
 * Enter (or every so many seconds: ROLL_EVERY=15). PORT (3000) can be set.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { startProxy } from "./proxy.ts";

const folder = mkdtempSync(join(tmpdir(), "holdfast-demo-"));
const secret = randomBytes(32).toString("base64");
const port = Number(process.env["PORT"] || 3000);
const main = fileURLToPath(new URL("./main.ts", import.meta.url));

/** How each runtime runs a script of this checkout. */
const runArgs = "Bun" in globalThis
  ? ["run"]
  : "Deno" in globalThis
  ? ["run", "-A"]
  : ["--no-warnings", "--import", new URL("../../scripts/source.mjs", import.meta.url).href];

interface Node {
  readonly name: string;
  readonly version: number;
  readonly port: number;
  readonly child: ChildProcess;
}

async function start(count: number): Promise<Node> {
  const name = "abcdefghijklmnopqrstuvwxyz"[count % 26] ?? "a";
  // Version 1 once, then version 2 for good: old code cannot serve what new code has stored.
  const version = count === 0 ? 1 : 2;
  const child = spawn(process.execPath, [...runArgs, main], {
    env: {
      ...process.env,
      NODE_NAME: name,
      VERSION: String(version),
      DATABASE: join(folder, "shop.db"),
      SECRET: secret,
      PORT: "0",
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const port = await new Promise<number>((resolve, reject) => {
    let text = "";
    child.stdout.setEncoding("utf8").on("data", (more: string) => {
      const found = /http:\/\/[\w.]+:(\d+)/.exec(text += more);
      if (found !== null) resolve(Number(found[1]));
    });
    child.once("exit", (code) => reject(new Error(`Node ${name} ended with code ${code}`)));
  });
  return { name, version, port, child };
}

/** Starts the next node, leads new connections to it, and tells the old one to go. */
async function roll(old: Node, count: number): Promise<Node> {
  console.log(`\n  starting node ${"abcdefghijklmnopqrstuvwxyz"[count % 26]} …`);
  const next = await start(count);
  proxy.lead(next.port);
  const since = performance.now();
  const exited = new Promise<number | null>((resolve) => old.child.once("exit", resolve));
  process.kill(old.child.pid ?? 0, "SIGTERM");
  console.log(
    `  SIGTERM to node ${old.name}: it takes in what is being typed, stores it, and closes`,
  );
  const code = await exited;
  console.log(
    `  node ${old.name} (version ${old.version}) ended with code ${code} after ` +
      `${
        Math.round(performance.now() - since)
      } ms; node ${next.name} (version ${next.version}) serves`,
  );
  return next;
}

const proxy = await startProxy(port);
let node = await start(0);
proxy.lead(node.port);
console.log(`
  Open http://127.0.0.1:${port} and fill in the form.

  Press Enter here (or have ROLL_EVERY=15 do it) to replace the server by the next version, and keep
  typing while it happens. Look at:

  · the note: no character is lost, the caret stays where it is, and so does the focus
  · the badge: version and node change, "reconnected" counts up; the page is not loaded again
  · the new field of version 2: it is simply there, and the draft of version 1 was migrated
  · this window: the old node ends with code 0, once everything it had accepted is stored

  Ctrl-C ends it.`);

let count = 0;
let rolling: Promise<void> = Promise.resolve();
function next(): void {
  rolling = rolling.then(async () => void (node = await roll(node, ++count)));
}
const lines = createInterface({ input: process.stdin });
lines.on("line", next);
const every = Number(process.env["ROLL_EVERY"] || 0);
if (every > 0) setInterval(next, every * 1000);

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    node.child.kill("SIGKILL");
    proxy.close();
    rmSync(folder, { recursive: true, force: true });
    process.exit(0);
  });
}
