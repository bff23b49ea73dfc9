import { spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { Runtime } from "../_lib/runtimes.ts";
import type { Job } from "./job.ts";

const runArgs = {
  bun: ["run"],
  deno: ["run", "-A", "--no-check", "--v8-flags=--expose-gc"],
  node: ["--expose-gc", "--disable-warning=ExperimentalWarning"],
};

const script: string = fileURLToPath(new URL("worker.ts", import.meta.url));

/** A process that measures. */
export interface Subject<T> {
  /** What it found out by itself. */
  readonly answer: Promise<T>;
  /** Tells it that there is nothing more to come. */
  enough(): Promise<T>;
}

/**
 * Has a fresh process measure; settles when it is ready.
 *
 * @param waits Whether it says so; else it begins at once.
 */
export async function begin<T>(
  { name, path }: Runtime,
  job: Job,
  waits = true,
): Promise<Subject<T>> {
  const args = [...runArgs[name], script, JSON.stringify(job)];
  const env = { ...process.env, NODE_ENV: "production" };
  const child = spawn(path, args, { env, stdio: ["pipe", "pipe", "inherit"] });
  let output = "";
  let begun = (): void => {};
  const ready = new Promise<void>((resolve) => begun = resolve);
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
    if (output.startsWith("ready\n")) begun();
  });
  const answer = new Promise<T>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      const last = output.trimEnd().split("\n").at(-1) ?? "";
      if (code === 0) resolve(JSON.parse(last));
      else reject(new Error(`Cannot measure ${JSON.stringify(job)}: ended with ${code}`));
    });
  });
  if (waits) await Promise.race([ready, answer]);
  return {
    answer,
    enough() {
      child.stdin.end("enough\n");
      return answer;
    },
  };
}
