/**
 * npm run prove -- soak_live [--minutes=30] [--pages=20] [--every=20] [--server=bun|deno|node|all]
 *
 * Rolling restarts while pages in Chromium are typed into. Two processes of the fixture app take
 * turns behind a proxy; each page writes text, sends it with the form now and then, and goes on.
 * Counts what must not happen: a lost or doubled character, a lost caret or focus, a reload, a form
 * that counted twice or not at all, a node that ended badly; and what must not grow: listeners,
 * nodes and memory of the pages, memory of the servers.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { launch } from "../../test/e2e/live/browser.ts";
import { TcpProxy } from "../../test/e2e/live/proxy.ts";
import { footprint, Typist } from "../../test/e2e/live/typist.ts";
import { findRuntime, type ServerProcess, startServer } from "../../test/e2e/process.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "30" },
    pages: { type: "string", default: "20" },
    every: { type: "string", default: "20" },
    server: { type: "string", default: "bun" },
  },
});
const [minutes, count, everySeconds] = [values.minutes, values.pages, values.every].map(
  Number,
) as [number, number, number];

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const folder = mkdtempSync(join(tmpdir(), "holdfast-soak-"));
const names = values.server === "all" ? ["bun", "deno", "node"] : [values.server];
const runtimes = await Promise.all(names.map((name) => findRuntime(name)));

let restarts = 0;
const problems: string[] = [];
/** Memory of each server at its end, in MiB. */
const servers: number[] = [];
const drains: number[] = [];

function start(): Promise<ServerProcess> {
  const on = runtimes[restarts % runtimes.length];
  if (on === undefined) throw new RangeError("Cannot soak: there is no runtime");
  return startServer("test/e2e/app/main.ts", {
    NODE_NAME: `n${restarts}`,
    STORAGE: `sqlite:${join(folder, "soak.db")}`,
  }, on);
}

/** Starts the next server, leads the pages to it, and drains the one before. */
async function restart(proxy: TcpProxy, old: ServerProcess): Promise<ServerProcess> {
  restarts++;
  const next = await start();
  proxy.lead(next);
  const status = readFileSync(`/proc/${old.pid}/status`, "utf8");
  servers.push(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024);
  const since = performance.now();
  old.kill("SIGTERM");
  const { code, signal } = await old.exited;
  drains.push(performance.now() - since);
  if (code !== 0) problems.push(`server ${restarts - 1} ended with ${code ?? signal}`);
  return next;
}

const proxy = await new TcpProxy().listen();
const browser = await launch();
let server = await start();
proxy.lead(server);
const typists: Typist[] = [];
for (let i = 0; i < count; i++) {
  const context = await browser.newContext();
  const pace = { paceMs: 200, sendAfter: 300 };
  typists.push(await Typist.open(await context.newPage(), proxy.url, i, pace));
}
const begun = performance.now();
const before = await footprint(typists);
let stopped = false;
const working = typists.map((typist) => typist.work(() => stopped));
let reported = 0;
while (performance.now() - begun < minutes * 60_000) {
  await pause(everySeconds * 1000);
  server = await restart(proxy, server);
  if (++reported % 9 === 0) console.log(await report());
}
stopped = true;
await Promise.all(working);
for (const typist of typists) await typist.settle();
console.log(await report());
const gets = proxy.count("GET", "/settings");
if (gets !== count) problems.push(`${gets} pages were loaded, not ${count}`);
await browser.close();
await proxy.close();
await server.stop();
rmSync(folder, { recursive: true, force: true });
for (const typist of typists) problems.push(...typist.problems);
for (const problem of problems.slice(0, 50)) console.error(`  ${problem}`);
process.exit(problems.length === 0 ? 0 : 1);

async function report(): Promise<string> {
  const now = await footprint(typists);
  const sum = (of: (typist: Typist) => number) => typists.reduce((all, one) => all + of(one), 0);
  const change = (name: keyof typeof now) => `${before[name]} → ${now[name]}`;
  const last = servers.slice(-9);
  return `${((performance.now() - begun) / 60_000).toFixed(1)} min, ${restarts} restarts ` +
    `(${names.join(", ")}; drained in ${Math.max(...drains).toFixed(0)} ms at most): ` +
    `${sum((one) => one.typed)} characters typed, ${sum((one) => one.lost)} lost, ` +
    `${sum((one) => one.carets)} carets lost, ${sum((one) => one.reloads)} reloads, ` +
    `${sum((one) => one.sent)} forms sent, ${sum((one) => one.unsent)} said to be unsent; ` +
    `${sum((one) => one.checks)} checks, ${sum((one) => one.stuck)} pages stuck; listeners ${
      change("listeners")
    }, ` +
    `DOM nodes ${change("nodes")}, heap of all pages ${change("heapMiB")} MiB; ` +
    `servers ${Math.min(...last).toFixed(0)} to ${Math.max(...last).toFixed(0)} MiB`;
}
