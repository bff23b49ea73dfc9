import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Runtime } from "../_lib/runtimes.ts";
import type { FailOverJob } from "./fail_over.ts";
import type { LatencyJob } from "./latency.ts";
import type { LoadJob } from "./load.ts";

/** What a node is told to do. */
export type Command =
  | { readonly what: "latency" } & Omit<LatencyJob, "own" | "foreign">
  | { readonly what: "load" } & LoadJob
  | { readonly what: "fail over"; readonly objects: number } & Omit<FailOverJob, "ids">;

const runArgs = {
  bun: ["run"],
  deno: ["run", "-A", "--no-check"],
  node: ["--disable-warning=ExperimentalWarning"],
};

/** A node in a process of its own. */
export class NodeProcess {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #answers: AsyncIterator<string>;
  #complaints = "";

  private constructor(name: string, child: ChildProcess) {
    this.name = name;
    this.#child = child;
    child.stderr?.on("data", (chunk: Uint8Array) => this.#complaints += `${chunk}`);
    if (child.stdout === null) throw new Error("Cannot read what a node says");
    this.#answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  }

  /** Starts a node; resolves once it knows of so many, itself included. */
  static async start(
    { name: runtime, path }: Runtime,
    url: string,
    name: string,
    all: number,
  ): Promise<NodeProcess> {
    const file = fileURLToPath(new URL("node.ts", import.meta.url));
    const child = spawn(path, [...runArgs[runtime], file, url, name, `${all}`], {
      env: { ...process.env, NODE_ENV: "production" },
    });
    const node = new NodeProcess(name, child);
    await node.#answer();
    return node;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Has it do something; answers as it does. */
  async obey<T>(command: Command): Promise<T> {
    this.#child.stdin?.write(`${JSON.stringify(command)}\n`);
    return await this.#answer() as T;
  }

  /** Ends it, at once. */
  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await ended;
  }

  async #answer(): Promise<unknown> {
    const { value, done } = await this.#answers.next();
    if (done !== true) return JSON.parse(value);
    throw new Error(`Cannot measure: node ${this.name} has ended: ${this.#complaints}`);
  }
}
