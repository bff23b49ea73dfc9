/**
 * One server process: `server.ts VARIANT`. Its first line of output says where it listens. A second
 * port tells what it has cost, so that asking does not run through what is measured. It ends with
 * its standard input, so that it never outlives who started it.
 */
import { createServer } from "node:http";
import process from "node:process";
import { listen, serve } from "./serve.ts";
import { variants } from "./variants.ts";

/** Where a server listens. */
export interface Listening {
  /** The application. */
  readonly port: number;
  /** `GET /cpu` answers with the CPU time of the process in µs; `GET /exit` ends it. */
  readonly controlPort: number;
}

const {
  HOLDFAST_BENCH_SECRET,
  HOLDFAST_BENCH_FILE,
  HOLDFAST_BENCH_STATE_BYTES,
} = process.env;
const variant = variants[process.argv[2] ?? ""];
if (variant === undefined) {
  throw new Error(`Cannot serve "${process.argv[2]}": no such variant`);
}

const port = await serve(
  await variant.make({
    secret: HOLDFAST_BENCH_SECRET ?? "",
    file: HOLDFAST_BENCH_FILE ?? ":memory:",
    note: "n".repeat(Number(HOLDFAST_BENCH_STATE_BYTES ?? 0)),
  }),
);
const controlPort = await listen(createServer((request, response) => {
  const { user, system } = process.cpuUsage();
  response.end(String(user + system));
  // By itself, so that a profiler can write down what it saw.
  if (request.url === "/exit") response.once("close", () => process.exit(0));
}));

process.stdin.on("end", () => process.exit(0)).resume();
console.log(JSON.stringify({ port, controlPort } satisfies Listening));
