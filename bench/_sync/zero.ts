import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";
import postgres from "postgres";
import { freePort } from "../../test/harness/port.ts";
import { type PostgresServer, startPostgres } from "../../test/postgres/fixtures/server.ts";
import type { Runtime } from "../_lib/runtimes.ts";
import type { ZeroPorts } from "./peers/zero.ts";

/** Where Zero is installed, apart from the other peers: it is 330 MB. */
export const zeroFolder: string = fileURLToPath(new URL("peers/", import.meta.url));

const program = join(zeroFolder, "node_modules/@rocicorp/zero/out/zero/src/cli.js");
const preload = pathToFileURL(join(zeroFolder, "preload.ts")).href;

/** zero-cache beside a server of its own, so that nothing it makes there is left for others. */
export interface Zero {
  /** Of the database. */
  readonly url: string;
  readonly ports: ZeroPorts;
  /** Ends both, and removes their files. */
  stop(): Promise<void>;
}

async function prepare(url: string): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  await sql.unsafe(`
    CREATE TABLE measured (org int NOT NULL, id int PRIMARY KEY, n int, at bigint, note text);
    INSERT INTO measured
      SELECT 0, g, 0, 0, 'as long as a title may be' FROM generate_series(0, 19) AS g;
    CREATE PUBLICATION measured FOR TABLE measured`);
  await sql.end();
}

/** All it is told; the rest is as it comes. */
function environment(url: string, ports: ZeroPorts, streamer: number, folder: string) {
  return {
    ...process.env,
    NODE_ENV: "production",
    NODE_OPTIONS: `--import=${preload} --disable-warning=ExperimentalWarning`,
    TMPDIR: folder,
    DO_NOT_TRACK: "1",
    ZERO_ENABLE_TELEMETRY: "false",
    ZERO_ADMIN_PASSWORD: "of the benchmark",
    ZERO_LOG_LEVEL: "warn",
    ZERO_UPSTREAM_DB: url,
    ZERO_APP_PUBLICATIONS: "measured",
    ZERO_REPLICA_FILE: join(folder, "replica.db"),
    ZERO_PORT: String(ports.cache),
    ZERO_CHANGE_STREAMER_PORT: String(streamer),
    // It waits for a load balancer otherwise.
    ZERO_CHANGE_STREAMER_STARTUP_DELAY_MS: "0",
    ZERO_QUERY_URL: `http://127.0.0.1:${ports.queries}/query`,
  };
}

/** Ends all of its processes: their standard input, of which all have a part. */
async function end(child: ChildProcess): Promise<void> {
  const kill = setTimeout(() => child.kill("SIGKILL"), 20_000);
  // The pipe it writes to is closed when the last of them has gone.
  const gone = new Promise((resolve) => child.once("close", resolve));
  child.stdin?.end();
  if (child.exitCode === null && child.signalCode === null) await gone;
  clearTimeout(kill);
}

/** Settles when it answers. */
async function answering(port: number, child: ChildProcess, log: () => string): Promise<void> {
  const start = performance.now();
  for (;;) {
    const answer = await fetch(`http://127.0.0.1:${port}/`).catch(() => undefined);
    if (answer?.ok === true) return;
    if (child.exitCode !== null) throw new Error(`zero-cache ended: ${log()}`);
    if (performance.now() - start > 120_000) throw new Error(`zero-cache does not start: ${log()}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function startCache(node: Runtime, server: PostgresServer, folder: string): Promise<Zero> {
  await prepare(server.url);
  const ports = { cache: await freePort(), queries: await freePort() };
  const env = environment(server.url, ports, await freePort(), folder);
  const child = spawn(node.path, [program], { cwd: folder, env });
  let log = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => log = (log + text).slice(-4000));
  }
  try {
    await answering(ports.cache, child, () => log);
  } catch (error) {
    await end(child);
    throw error;
  }
  return {
    url: server.url,
    ports,
    async stop() {
      await end(child);
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Starts a server and zero-cache beside it; settles when it answers. */
export async function startZero(node: Runtime): Promise<Zero> {
  const server = await startPostgres({ max_connections: "100" });
  const folder = mkdtempSync(join(tmpdir(), "holdfast-bench-zero-"));
  try {
    return await startCache(node, server, folder);
  } catch (error) {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}
