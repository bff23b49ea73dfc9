import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import type { Runtime } from "../_lib/runtimes.ts";
import type { Job } from "./worker.ts";

const runArgs = {
  bun: ["run"],
  deno: ["run", "-A", "--no-check", "--v8-flags=--expose-gc"],
  node: ["--expose-gc", "--disable-warning=ExperimentalWarning"],
};

/**
 * Has a fresh process measure.
 *
 * @param script A file beside this one.
 * @param data Where it gets a folder of its own.
 * @returns What it answered.
 * @throws {Error} If it failed; what it said is in the message.
 */
export async function run<T>(
  { name, path }: Runtime,
  script: "worker.ts" | "peers_worker.ts",
  task: string,
  data: string,
  job: Omit<Job, "folder">,
): Promise<T> {
  mkdirSync(data, { recursive: true });
  const folder = mkdtempSync(join(data, "run-"));
  const file = fileURLToPath(new URL(script, import.meta.url));
  const args = [...runArgs[name], file, task];
  const child = spawn(path, args, { env: { ...process.env, NODE_ENV: "production" } });
  try {
    const gone = once(child, "close");
    child.stdin.end(JSON.stringify({ ...job, folder }));
    const [output, complaints] = await Promise.all([text(child.stdout), text(child.stderr)]);
    const [code] = await gone;
    if (code !== 0) throw new Error(`Cannot measure "${task}": ${complaints.slice(0, 2000)}`);
    // Peers greet on standard output; the answer is the last line.
    return JSON.parse(output.trimEnd().split("\n").at(-1) ?? "");
  } finally {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  }
}
