/** Settings of the fixture app, from the environment. README.md describes them. */
import process from "node:process";
import type { Storage } from "holdfast";

export interface Config {
  readonly port: number;
  readonly node: string;
  /** Which of its two versions the app plays. */
  readonly version: 1 | 2;
  readonly build: string;
  readonly secrets: readonly string[];
  /** Every wait of the client and the server's heartbeat are multiplied by it. */
  readonly scale: number;
  readonly drainMs: number;
  /** Names of views this node does not know. */
  readonly omitted: readonly string[];
  readonly storage: Storage;
}

const { env } = process;

/** Reads the environment. */
export async function readConfig(): Promise<Config> {
  const version = number("APP_VERSION", 1);
  if (version !== 1 && version !== 2) throw new RangeError("APP_VERSION is neither 1 nor 2");
  return {
    port: number("PORT", 0),
    node: env["NODE_NAME"] || "a",
    version,
    build: env["BUILD"] || `v${version}`,
    secrets: (env["SECRETS"] || "the secret of the fixture app is known to all").split(","),
    scale: number("BACKOFF_SCALE", 1),
    drainMs: number("DRAIN_MS", 10_000),
    omitted: (env["OMIT"] ?? "").split(","),
    storage: await openStorage(env["STORAGE"] || "memory:"),
  };
}

function number(name: string, fallback: number): number {
  const value = Number(env[name] || fallback);
  if (!(value >= 0)) throw new RangeError(`${name} is not a number of 0 or more`);
  return value;
}

async function openStorage(text: string): Promise<Storage> {
  const [, kind, rest = ""] = /^(\w+):(.*)$/.exec(text) ?? [];
  switch (kind) {
    case "memory": {
      const { memoryStorage } = await import("holdfast/memory");
      return memoryStorage();
    }
    case "sqlite": {
      const { sqliteStorage } = await import("holdfast/sqlite");
      return sqliteStorage(rest);
    }
    case "s3": {
      const { s3Storage } = await import("holdfast/s3");
      return s3Storage(bucketOf(rest));
    }
    default:
      throw new RangeError(`STORAGE is "${text}", not memory:, sqlite:PATH or s3:BUCKET`);
  }
}

/** `BUCKET[/PREFIX][?endpoint=URL]`; the credentials are those of the AWS variables. */
function bucketOf(text: string): {
  bucket: string;
  prefix?: string;
  endpoint?: string;
  region?: string;
  forcePathStyle?: boolean;
} {
  const [path = "", query = ""] = text.split("?");
  const [bucket = "", ...prefix] = path.split("/");
  const endpoint = new URLSearchParams(query).get("endpoint");
  return {
    bucket,
    ...(prefix.length === 0 ? {} : { prefix: `${prefix.join("/")}/` }),
    ...(endpoint === null ? {} : { endpoint, forcePathStyle: true, region: "us-east-1" }),
  };
}
