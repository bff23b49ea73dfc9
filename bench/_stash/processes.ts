import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import process from "node:process";
import type { Runtime } from "../_lib/runtimes.ts";
import type { Found, Job } from "./client.ts";
import type { Listening } from "./server.ts";

const runArgs = { bun: ["run"], deno: ["run", "-A", "--no-check"], node: [] };

const script = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** A server process. */
export interface ServerProcess extends Listening {
  /** Ends it as a crash would, without a goodbye, and waits until it is gone. */
  kill(): Promise<void>;
  /** What it has said on standard error, to be shown when something is wrong. */
  complaints(): string;
}

/** How a server is started. */
export interface ServerOptions {
  readonly secret: string;
  readonly file: string;
  readonly stateBytes: number;
}

function start(
  { name, path }: Runtime,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  stderr: "inherit" | "pipe",
): ChildProcess {
  // Express is another thing in development.
  const all = { ...process.env, ...env, NODE_ENV: "production" };
  return spawn(path, [...runArgs[name], ...args], {
    env: all,
    stdio: ["pipe", "pipe", stderr],
  });
}

/**
 * Starts a server and waits until it listens.
 *
 * @param variant Name of what it serves.
 * @throws {Error} If it ends before that.
 */
export async function startServer(
  runtime: Runtime,
  variant: string,
  { secret, file, stateBytes }: ServerOptions,
): Promise<ServerProcess> {
  const child = start(runtime, [script("server.ts"), variant], {
    HOLDFAST_BENCH_SECRET: secret,
    HOLDFAST_BENCH_FILE: file,
    HOLDFAST_BENCH_STATE_BYTES: String(stateBytes),
  }, "pipe");
  let complaints = "";
  child.stderr?.setEncoding("utf8").on("data", (more: string) => complaints += more);
  const gone = once(child, "exit");
  const listening = await new Promise<Listening>((resolve, reject) => {
    let output = "";
    child.stdout?.setEncoding("utf8").on("data", (more: string) => {
      output += more;
      if (output.includes("\n")) resolve(JSON.parse(output));
    });
    child.once("error", reject);
    child.once("close", () => reject(new Error(`Cannot start "${variant}": ${complaints}`)));
  });
  return {
    ...listening,
    complaints: () => complaints,
    kill: async () => {
      child.kill("SIGKILL");
      await gone;
    },
  };
}

/**
 * Has a client do a job.
 *
 * @throws {Error} If it failed; it has said why on standard error.
 */
export async function runClient(runtime: Runtime, job: Job): Promise<readonly Found[]> {
  return JSON.parse(await outputOf(runtime, [script("client.ts")], JSON.stringify(job)));
}

/** Measures the core on a runtime; answers with what it prints. */
export function runCore(runtime: Runtime, quick: boolean): Promise<string> {
  return outputOf(runtime, [script("../core.ts"), ...(quick ? ["--quick"] : [])], "");
}

async function outputOf(runtime: Runtime, args: readonly string[], input: string): Promise<string> {
  const child = start(runtime, args, {}, "inherit");
  const gone = once(child, "exit");
  child.stdin?.end(input);
  const output = child.stdout === null ? "" : await text(child.stdout);
  const [code] = await gone;
  if (code !== 0) throw new Error("Cannot measure: a process failed, see above");
  return output;
}
