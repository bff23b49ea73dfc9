import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { checkSecrets } from "../../src/core/secret.ts";
import { webClock } from "../web/clock.ts";
import { Connections } from "../postgres/sync_connections.ts";
import { messageOf } from "./output.ts";
import type { Place } from "./storages.ts";

/** What one check has found. */
export interface Finding {
  readonly name: string;
  readonly level: "ok" | "warning" | "problem";
  readonly message: string;
}

/** Checks the version of the runtime. */
export function checkRuntime(): Finding {
  const { bun, deno, node } = process.versions as Readonly<Record<string, string | undefined>>;
  if (bun !== undefined) return needs("Bun", bun, [1, 2], "");
  if (deno !== undefined) return withSqlite("Deno", deno, [2, 0], [2, 2]);
  return withSqlite("Node", node ?? "0", [20, 0], [22, 13]);
}

type Version = readonly [number, number];

/** A runtime that has SQLite from a later version on. */
export function withSqlite(
  name: string,
  version: string,
  least: Version,
  sqlite: Version,
): Finding {
  const found = needs(name, version, least, "");
  if (found.level !== "ok" || atLeast(version, sqlite)) return found;
  const message = `${name} ${version}: works; for holdfast/sqlite it takes ${sqlite.join(".")}`;
  return { name: "runtime", level: "warning", message };
}

function needs(
  name: string,
  version: string,
  least: readonly [number, number],
  more: string,
): Finding {
  return atLeast(version, least)
    ? { name: "runtime", level: "ok", message: `${name} ${version}${more}` }
    : {
      name: "runtime",
      level: "problem",
      message: `${name} ${version} is older than ${least.join(".")}`,
    };
}

function atLeast(version: string, [major, minor]: readonly [number, number]): boolean {
  const [a = 0, b = 0] = version.split(".").map(Number);
  return a > major || (a === major && b >= minor);
}

/**
 * The ranges of the optional peers, as in package.json (a test compares them), and the subpath each is
 * for.
 */
export const PEERS: Readonly<Record<string, { readonly range: string; readonly for: string }>> = {
  "@aws-sdk/client-s3": { range: "^3.729.0", for: "holdfast/s3" },
  "@hono/node-server": { range: "^2.0.0", for: "holdfast/node" },
  "@nats-io/kv": { range: "^3.0.0", for: "holdfast/nats" },
  "@nats-io/transport-node": { range: "^3.0.0", for: "holdfast/nats" },
  "@opentelemetry/api": { range: "^1.9.0", for: "holdfast/otel" },
  idiomorph: { range: "^0.8.0", for: "holdfast/client" },
  jose: { range: "^6.0.0", for: "holdfast/live" },
  postgres: { range: "^3.4.5", for: "holdfast/postgres" },
  valibot: { range: "^1.0.0", for: "holdfast/live" },
  ws: { range: "^8.18.0", for: "holdfast/node" },
  "y-protocols": { range: "^1.0.6", for: "holdfast/yjs-client" },
  yjs: { range: "^13.6.20", for: "holdfast/yjs" },
};

/** Checks the versions of the peers that are installed; one that is absent is not needed. */
export function checkPeers(cwd: string): readonly Finding[] {
  const found = Object.entries(PEERS).flatMap(([name, { range, for: subpath }]): Finding[] => {
    const version = installedVersion(name, cwd);
    if (version === undefined) return [];
    if (version === "") {
      return [{ name, level: "problem", message: "its package.json cannot be read" }];
    }
    const fits = satisfies(version, range);
    const message = fits ? version : `${version} is not ${range}, which ${subpath} is made for`;
    return [{ name, level: fits ? "ok" : "problem", message }];
  });
  const none: Finding = { name: "packages", level: "ok", message: "no optional package here" };
  return found.length === 0 ? [none] : found;
}

/** The version of a package; empty if it cannot be read, `undefined` if there is none. */
function installedVersion(name: string, cwd: string): string | undefined {
  for (let folder = cwd;; folder = dirname(folder)) {
    const file = join(folder, "node_modules", name, "package.json");
    if (existsSync(file)) {
      return versionIn(file);
    }
    if (dirname(folder) === folder) return undefined;
  }
}

function versionIn(file: string): string {
  try {
    const { version } = JSON.parse(readFileSync(file, "utf8")) as { version?: unknown };
    return typeof version === "string" ? version : "";
  } catch {
    return "";
  }
}

/** Whether a version is in a range that begins with `^`, the only ones there are here. */
export function satisfies(version: string, range: string): boolean {
  const parts = (text: string) => text.replace(/^\^/, "").split(/[.-]/).slice(0, 3).map(Number);
  const [have, least] = [parts(version), parts(range)];
  // Below 1 the second number is the one that breaks.
  const fixed = least[0] === 0 ? 2 : 1;
  if (least.slice(0, fixed).some((part, i) => part !== have[i])) return false;
  const differs = least.findIndex((part, i) => part !== have[i]);
  return differs === -1 || (have[differs] ?? 0) > (least[differs] ?? 0);
}

/** Checks the secrets in some variables; never shows anything of them. */
export function checkSecretsIn(
  env: Readonly<Record<string, string | undefined>>,
  names: readonly string[],
): readonly Finding[] {
  const named = names.join(", ");
  const secrets = names.map((name) => env[name] ?? "");
  const unset = names.filter((_, i) => secrets[i] === "");
  if (unset.length === names.length) {
    const message = `${named} not set here: nothing to check`;
    return [{ name: "secrets", level: "warning", message }];
  }
  if (unset.length > 0) {
    const message = `${unset.join(", ")} not set here, of ${named}`;
    return [{ name: "secrets", level: "problem", message }];
  }
  try {
    checkSecrets(secrets);
  } catch (error) {
    return [{ name: "secrets", level: "problem", message: messageOf(error) }];
  }
  const message = `${secrets.length} from ${named}, long enough`;
  return [{ name: "secrets", level: "ok", message }];
}

/** Skew from which on it matters: sessions last minutes at least, and alarms are due to the second. */
const SKEW_MS = 2000;

/** Compares the clock of this machine with that of a store, where it says what it has. */
export async function checkClock(place: Place): Promise<Finding> {
  const name = "clock";
  try {
    const skew = await skewOf(place);
    if (skew === undefined) {
      const why = place.path === undefined
        ? "the store does not tell its time"
        : "the same machine";
      return { name, level: "ok", message: why };
    }
    const apart = Math.abs(skew.ms) - skew.precisionMs;
    const message = `${Math.round(skew.ms)} ms from the store's, to ${
      Math.round(skew.precisionMs)
    } ms`;
    return { name, level: apart > SKEW_MS ? "problem" : "ok", message };
  } catch {
    return { name, level: "warning", message: "the store did not tell its time" };
  }
}

interface Skew {
  readonly ms: number;
  readonly precisionMs: number;
}

async function skewOf({ kind, url }: Place): Promise<Skew | undefined> {
  const clock = webClock();
  const sent = clock.now();
  const began = clock.monotonic();
  let theirs: number | undefined;
  if (url === undefined) return undefined;
  if (kind === "postgres") theirs = await timeOfPostgres(url.href);
  else theirs = timeOfHttp(await fetch(url, { method: "HEAD", signal: AbortSignal.timeout(5000) }));
  if (theirs === undefined) return undefined;
  const tookMs = clock.monotonic() - began;
  // HTTP tells whole seconds: on average half of one is missing.
  const coarse = kind === "postgres" ? 0 : 500;
  return { ms: sent + tookMs / 2 - (theirs + coarse), precisionMs: tookMs / 2 + coarse };
}

function timeOfHttp(response: Response): number | undefined {
  void response.body?.cancel();
  const date = Date.parse(response.headers.get("date") ?? "");
  return Number.isNaN(date) ? undefined : date;
}

async function timeOfPostgres(url: string): Promise<number | undefined> {
  const connections = new Connections({ url });
  try {
    const sql = await connections.sql();
    const [row] = await sql.unsafe(
      "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS ms",
    ) as readonly { readonly ms?: unknown }[];
    return typeof row?.ms === "number" ? row.ms : undefined;
  } finally {
    await connections.close();
  }
}
