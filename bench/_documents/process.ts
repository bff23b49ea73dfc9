import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { createInterface, type Interface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Runtime } from "../_lib/runtimes.ts";
import type { Command } from "./serve.ts";

const runArgs = {
  bun: ["run"],
  deno: ["run", "-A", "--no-check", "--v8-flags=--expose-gc"],
  node: ["--expose-gc", "--disable-warning=ExperimentalWarning"],
};

/** A server that runs. */
export class ServerProcess {
  readonly port: number;
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #folder: string;

  private constructor(
    child: ChildProcess,
    lines: AsyncIterator<string>,
    folder: string,
    port: number,
  ) {
    this.#child = child;
    this.#lines = lines;
    this.#folder = folder;
    this.port = port;
  }

  /** Starts the server of a subject, with a folder of its own. */
  static async start(runtime: Runtime, subject: string, data: string): Promise<ServerProcess> {
    mkdirSync(data, { recursive: true });
    const folder = mkdtempSync(join(data, "run-"));
    const file = fileURLToPath(new URL("serve.ts", import.meta.url));
    const args = [...runArgs[runtime.name], file, subject, folder];
    const env = { ...process.env, NODE_ENV: "production" };
    const child = spawn(runtime.path, args, { env, stdio: ["pipe", "pipe", "inherit"] });
    const lines = said(createInterface({ input: child.stdout }));
    const first = await lines.next();
    if (first.done === true) throw new Error(`Cannot start "${subject}"`);
    return new ServerProcess(child, lines, folder, JSON.parse(first.value).port);
  }

  /** Makes a document, and keeps it in memory. */
  async seed(document: string, nodes: number): Promise<void> {
    await this.#ask({ do: "seed", document, nodes });
  }

  /**
   * CPU time since it began, all threads, in µs. Nothing is collected for it: what follows a collection, such
   * as giving memory back and taking it again, is none of the clients' doing.
   */
  async cpuUs(): Promise<number> {
    return (await this.#ask<{ readonly cpuUs: number }>({ do: "cpu" })).cpuUs;
  }

  /** Bytes of the heap in use, after a collection. */
  async heap(): Promise<number> {
    return (await this.#ask<{ readonly heap: number }>({ do: "heap" })).heap;
  }

  async stop(): Promise<void> {
    const gone = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await gone;
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #ask<T>(command: Command): Promise<T> {
    this.#child.stdin?.write(`${JSON.stringify(command)}\n`);
    const { value, done } = await this.#lines.next();
    if (done === true) throw new Error(`The server has ended instead of doing "${command.do}"`);
    return JSON.parse(value);
  }
}

/** What is meant for us: peers greet on standard output. */
async function* said(lines: Interface): AsyncGenerator<string, void> {
  for await (const line of lines) if (line.startsWith("@")) yield line.slice(1);
}
