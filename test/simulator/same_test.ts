import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import process from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";
import { assert, assertEquals, skip, test } from "../harness/mod.ts";
import { scenarioOf, scenarios } from "./scenarios/mod.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** What a seed comes to: all that happened, in a few characters. */
async function digest(seed: number): Promise<string> {
  const { history, problems, counts } = await scenarios[scenarioOf(seed)](seed);
  assert(history.split("\n").length > 50, "next to nothing has happened");
  return createHash("sha256").update(JSON.stringify([history, problems, counts])).digest("hex");
}

test("[SM1] the same seed gives the same history, byte for byte, and another one another", async () => {
  const seen = new Set<string>();
  for (let seed = 1; seed <= 20; seed++) {
    const first = await digest(seed);
    assertEquals(await digest(seed), first);
    seen.add(first);
  }
  assertEquals(seen.size, 20);
});

/** What is used of the checkout's own scripts, which are plain JavaScript. */
interface Scripts {
  findRuntime(name: string): { readonly path: string } | { readonly missing: string };
}

const scripts: Scripts = await import(
  new URL("scripts/lib/runtimes.mjs", pathToFileURL(root)).href
);

for (const runtime of ["bun", "deno", "node"]) {
  const title = `[SM1] ${runtime} gives the same history as this runtime`;
  const found = scripts.findRuntime(runtime);
  if ("missing" in found) skip(title, found.missing);
  else test(title, () => givesTheSame(runtime), { timeoutMs: 120_000 });
}

async function givesTheSame(runtime: string): Promise<void> {
  const seed = 11;
  const { history } = await scenarios[scenarioOf(seed)](seed);
  const args = ["scripts/prove.mjs", "simulate", `--runtime=${runtime}`, `--seed=${seed}`];
  const node = process.release.name === "node" && !("Bun" in globalThis) && !("Deno" in globalThis)
    ? process.execPath
    : "node";
  const { status, stdout, stderr } = spawnSync(node, args, { cwd: root, encoding: "utf8" });
  assertEquals(status, 0, `${runtime}: ${stderr}`);
  assertEquals(stdout.slice(0, history.length), history, runtime);
}

test("[SM1] a fault that is switched off changes nothing of another kind", async () => {
  const faults = { crash: 0, deploy: 0 };
  const without = await scenarios.journal(3, { faults });
  assertEquals(without.counts.faults.crash, undefined);
  assertEquals(without.counts.faults.deploy, undefined);
  const all = await scenarios.journal(3);
  assertEquals(firstCalls(without.history), firstCalls(all.history));
});

/** What the clients ask for first: drawn from sources of their own. */
function firstCalls(history: string): readonly string[] {
  const asked = new Map<string, string>();
  for (const line of history.split("\n")) {
    const [, , client = "", verb, , call = ""] = line.split(" ");
    if (verb === "asks" && !asked.has(client)) asked.set(client, call);
  }
  return [...asked].map(([client, call]) => `${client} ${call}`).sort();
}
