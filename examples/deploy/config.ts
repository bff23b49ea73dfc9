/** What the deployed application takes from its environment, the same on every platform; README.md has the table. */
import { mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Cluster, Storage } from "holdfast";

/** How long taking leave may take, in milliseconds. Every platform here waits longer: a test holds them to it. */
export const withinMs = 20_000;

/** Where the probes are. */
export const probes = { alive: "/livez", ready: "/readyz" } as const;

/** What one variable or another says. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Where the state is. */
export type Store =
  | { readonly kind: "sqlite"; readonly path: string }
  | { readonly kind: "postgres"; readonly url: string }
  | { readonly kind: "s3"; readonly bucket: string };

/** Where the nodes meet. */
export interface Meeting {
  readonly servers: string;
  readonly user?: string;
  readonly pass?: string;
}

/** All that can be set. */
export interface Settings {
  readonly hostname: string;
  readonly port: number;
  /** Behind https, so that the cookie is for https alone. */
  readonly production: boolean;
  /** The first signs, the others are still taken. */
  readonly secrets: readonly string[];
  readonly store: Store;
  /** Missing: the process knows of no other. */
  readonly meeting?: Meeting;
}

/**
 * Reads the settings. What is missing and needed is an error: with a storage made up in its place a process
 * would start, and keep its sessions to itself.
 */
export function readSettings(env: Environment): Settings {
  const port = Number(env["PORT"] || 3000);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new RangeError("Cannot start: PORT is not a whole number from 0 to 65535");
  }
  const servers = env["NATS_URL"];
  return {
    hostname: env["HOST"] || "127.0.0.1",
    port,
    production: env["NODE_ENV"] === "production",
    secrets: needed(env, "SECRETS").split(/\s+/),
    store: readStore(env),
    ...(servers ? { meeting: { servers, ...readUser(env) } } : {}),
  };
}

function readStore(env: Environment): Store {
  switch (env["STORAGE"]) {
    case "sqlite":
      return { kind: "sqlite", path: join(needed(env, "DATA_DIR"), "board.db") };
    case "postgres":
      return { kind: "postgres", url: needed(env, "DATABASE_URL") };
    case "s3":
      return { kind: "s3", bucket: needed(env, "BUCKET_NAME") };
    default:
      throw new RangeError("Cannot start: STORAGE is not sqlite, postgres or s3");
  }
}

function readUser(env: Environment): Pick<Meeting, "user" | "pass"> {
  const user = env["NATS_USER"];
  return user ? { user, pass: needed(env, "NATS_PASSWORD") } : {};
}

/** A variable, or the file that NAME_FILE names: where a platform mounts secrets, they are in no environment. */
function needed(env: Environment, name: string): string {
  const file = env[`${name}_FILE`];
  const value = (file ? readFileSync(file, "utf8") : env[name])?.trim();
  if (value) return value;
  throw new RangeError(`Cannot start: neither ${name} nor ${name}_FILE says anything`);
}

// Packages are imported by literal names and handed over: so they are in the one file that the Dockerfile bundles.

/** Opens the storage. */
export async function openStorage(store: Store): Promise<Storage> {
  switch (store.kind) {
    case "sqlite": {
      const { sqliteStorage } = await import("holdfast/sqlite");
      mkdirSync(dirname(store.path), { recursive: true, mode: 0o700 });
      return sqliteStorage(store.path);
    }
    case "postgres": {
      const { postgresStorage } = await import("holdfast/postgres");
      const { default: postgres } = await import("postgres");
      const sql = postgres(store.url, { max: 4, fetch_types: false, onnotice: () => {} });
      return postgresStorage({ sql });
    }
    case "s3": {
      const { s3Storage } = await import("holdfast/s3");
      // Region, endpoint and credentials are in variables that the SDK reads by itself.
      const storage = s3Storage({ bucket: store.bucket, sdk: import("@aws-sdk/client-s3") });
      await storage.ready();
      return storage;
    }
  }
}

/** Joins the other nodes. They need not be there: until they are, this one works alone. */
export async function joinCluster(meeting: Meeting): Promise<Cluster> {
  const { natsCluster } = await import("holdfast/nats");
  const { connect } = await import("@nats-io/transport-node");
  // As with "servers": it tries again without end, and notices a dead connection after three seconds.
  const patience = { maxReconnectAttempts: -1, reconnectTimeWait: 250, pingInterval: 1000 };
  return natsCluster({
    name: "board",
    connect: () => connect({ ...meeting, ...patience, maxPingOut: 3 }),
  });
}
