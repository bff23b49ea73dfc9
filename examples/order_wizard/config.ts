/** Settings from the environment; each has a default that works. */
import { randomBytes } from "node:crypto";
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import type { Storage } from "holdfast";

export interface Config {
  readonly port: number;
  readonly hostname: string;
  readonly storage: Storage;
  /** What the storage is, for the log. */
  readonly stored: string;
  /** Whether it outlives the process. */
  readonly durable: boolean;
  readonly secret: string;
  /** Served over http on this machine, not behind https. */
  readonly dev: boolean;
}

/**
 * Reads PORT (3000), HOST (127.0.0.1), DATA_DIR (.data), STORAGE (sqlite, file or memory),
 * HOLDFAST_SECRET (else one is made and kept in the data folder) and NODE_ENV.
 */
export async function readConfig(): Promise<Config> {
  const { env } = process;
  const folder = env["DATA_DIR"] || ".data";
  const port = Number(env["PORT"] || 3000);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new RangeError("Cannot start: PORT is not a whole number from 0 to 65535");
  }
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return {
    port,
    hostname: env["HOST"] || "127.0.0.1",
    ...await openStorage(env["STORAGE"] || "sqlite", folder),
    secret: env["HOLDFAST_SECRET"] || keptSecret(folder),
    dev: env["NODE_ENV"] !== "production",
  };
}

async function openStorage(
  kind: string,
  folder: string,
): Promise<Pick<Config, "storage" | "stored" | "durable">> {
  switch (kind) {
    case "sqlite": {
      const { sqliteStorage } = await import("holdfast/sqlite");
      const path = join(folder, "order_wizard.db");
      return { storage: sqliteStorage(path), stored: `SQLite in ${path}`, durable: true };
    }
    case "file": {
      const { fileStorage } = await import("holdfast/file");
      const path = join(folder, "order_wizard");
      return { storage: fileStorage(path), stored: `files in ${path}`, durable: true };
    }
    case "memory": {
      const { memoryStorage } = await import("holdfast/memory");
      return { storage: memoryStorage(), stored: "memory", durable: false };
    }
    default:
      throw new RangeError("Cannot start: STORAGE is not sqlite, file or memory");
  }
}

/** The secret in the data folder; made on the first start, by one of several processes. */
function keptSecret(folder: string): string {
  const path = join(folder, "secret");
  const found = readSecret(path);
  if (found !== undefined) return found;
  // Written elsewhere first: whoever finds the file finds all of it.
  const draft = `${path}.${randomBytes(6).toString("hex")}`;
  writeFileSync(draft, randomBytes(32).toString("base64url"), { mode: 0o600, flag: "wx" });
  try {
    linkSync(draft, path);
  } catch (error) {
    // Another process was first, and its secret counts.
    if (readSecret(path) === undefined) throw error;
  } finally {
    rmSync(draft);
  }
  return readFileSync(path, "utf8");
}

function readSecret(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT") return undefined;
    throw error;
  }
}
