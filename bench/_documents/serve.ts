/**
 * One server in a process of its own: `serve.ts SUBJECT FOLDER`. Reads commands as lines of JSON from
 * standard input, and answers each with a line.
 */
import process from "node:process";
import { createInterface } from "node:readline";
import type { Served } from "./served.ts";

/** What can be asked for. */
export type Command =
  | { readonly do: "seed"; readonly document: string; readonly nodes: number }
  | { readonly do: "cpu" | "heap" };

const [, , subject = "", folder = ""] = process.argv;
const subjects: Readonly<
  Record<string, () => Promise<{ start(folder: string): Promise<Served> }>>
> = {
  holdfast: () => import("./ours.ts"),
  floor: () => import("./floor.ts"),
  hocuspocus: () => import("./peers/hocuspocus.ts"),
  sharedb: () => import("./peers/sharedb.ts"),
  tldraw: () => import("./peers/tldraw.ts"),
};
const load = subjects[subject];
if (load === undefined) throw new Error(`Cannot serve "${subject}": there is no such subject`);
const served = await (await load()).start(folder);

function collect(): void {
  const { gc, Bun } = globalThis as { gc?: () => void; Bun?: { gc(force: boolean): void } };
  if (Bun !== undefined) Bun.gc(true);
  else for (let round = 0; round < 4; round++) gc?.();
}

async function answer(command: Command): Promise<object> {
  if (command.do === "seed") {
    await served.seed(command.document, command.nodes);
    return {};
  }
  if (command.do === "heap") {
    collect();
    return { heap: process.memoryUsage().heapUsed };
  }
  const { user, system } = process.cpuUsage();
  return { cpuUs: user + system };
}

const say = (line: object): void => void process.stdout.write(`@${JSON.stringify(line)}\n`);
say({ port: served.port });
for await (const line of createInterface({ input: process.stdin })) {
  say(await answer(JSON.parse(line)));
}
process.exit(0);
