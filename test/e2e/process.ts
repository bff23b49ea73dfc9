/** Real server processes, on the runtime that runs the test or on another. */
import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** What runs this. The harness would say it too, but loads only below a test runner. */
export const runtime: "bun" | "deno" | "node" = "Bun" in globalThis
  ? "bun"
  : "Deno" in globalThis
  ? "deno"
  : "node";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** How a runtime runs a script of the checkout, in which the package's own name means its sources. */
const runArgs: Readonly<Record<typeof runtime, readonly string[]>> = {
  bun: ["run"],
  deno: ["run", "-A", "--no-check"],
  node: ["--no-warnings", "--import", new URL("../../scripts/source.mjs", import.meta.url).href],
};

/** A runtime to start servers on. */
export interface Runtime {
  readonly name: typeof runtime;
  /** Its binary. */
  readonly path: string;
}

/** Finds an installed runtime. */
export async function findRuntime(name: string): Promise<Runtime> {
  // Plain JavaScript without types.
  const scripts = new URL("../../scripts/lib/runtimes.mjs", import.meta.url).href;
  const { findRuntime }: { findRuntime(name: string): Runtime | { missing: string } } =
    await import(scripts);
  const found = findRuntime(name);
  if ("missing" in found) throw new Error(found.missing);
  return found;
}

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
}

/** A server process that has said where it listens. */
export interface ServerProcess {
  /** Its address, as in the line it printed. */
  readonly url: string;
  /** Its process id. */
  readonly pid: number;
  /** Everything it has printed so far. */
  output(): string;
  /** Sends a line to its standard input. */
  write(line: string): void;
  /** Sends a signal. */
  kill(signal: "SIGKILL" | "SIGTERM" | "SIGINT"): void;
  /** Settles when it has ended. */
  readonly exited: Promise<Exit>;
  /** Kills it if it still runs, and waits for its end. */
  stop(): Promise<void>;
}

/**
 * Starts a script and waits for the line in which it names its address.
 *
 * @param script Path below the checkout.
 * @param env Added to the environment.
 * @param on The runtime, if not this one.
 */
export async function startServer(
  script: string,
  env: Readonly<Record<string, string>>,
  on: Runtime = { name: runtime, path: process.execPath },
): Promise<ServerProcess> {
  const child = spawn(on.path, [...runArgs[on.name], root + script], {
    cwd: root,
    env: { ...process.env, NO_COLOR: "1", ...env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  const exited = new Promise<Exit>((resolve) =>
    child.once("exit", (code, signal) => resolve({ code, signal }))
  );
  // A line written to a process that has just been killed.
  child.stdin.on("error", () => {});
  const { url, output } = await listening(child, exited);
  const kill: ServerProcess["kill"] = (signal) => {
    // Not child.kill(): on Deno that closes the child's standard input and makes up how it ended.
    const { pid, exitCode, signalCode } = child;
    if (pid !== undefined && exitCode === null && signalCode === null) process.kill(pid, signal);
  };
  return {
    url,
    pid: child.pid ?? 0,
    output,
    write: (line) => void child.stdin.write(`${line}\n`),
    kill,
    exited,
    async stop() {
      kill("SIGKILL");
      await exited;
    },
  };
}

/** Waits for the address, or for the end of the process. */
async function listening(
  child: ChildProcess,
  exited: Promise<Exit>,
): Promise<{ url: string; output: () => string }> {
  let output = "";
  const url = await new Promise<string | undefined>((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        output += text;
        const found = /(http:\/\/[\w.:[\]]+)\s/.exec(output)?.[1];
        if (found !== undefined) resolve(found);
      });
    }
    exited.then(() => resolve(undefined));
  });
  if (url === undefined) throw new Error(`The server did not start: ${output}`);
  return { url, output: () => output };
}
