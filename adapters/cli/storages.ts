import { existsSync, realpathSync, statSync } from "node:fs";
import { isAbsolute, join, resolve } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { HoldfastError } from "../../src/core/errors.ts";
import { nearestName } from "../../src/core/options.ts";
import type { Storage } from "../../src/ports/storage.ts";
import { denokvStorage } from "../denokv/mod.ts";
import { fileStorage } from "../file/mod.ts";
import { postgresStorage } from "../postgres/mod.ts";
import { s3Storage } from "../s3/mod.ts";
import { sqliteStorage } from "../sqlite/mod.ts";
import { messageOf } from "./output.ts";
import { UsageError } from "./verb.ts";

/** How storages are written, for the help of every verb. */
export const STORAGE_HELP = `Storages:
  sqlite:app.db                               a file of SQLite
  file:./data                                 a folder; nobody else may have it open
  postgres://user@host/db?table=NAME          the password from the URL or PGPASSWORD
  s3://bucket/prefix/?endpoint=URL&region=R   credentials from the environment; pathStyle=1 for
                                              servers that have no host name for each bucket
  denokv: or denokv:PATH                      on Deno with --unstable-kv`;

/** A storage that a URL names. */
export interface Place {
  readonly kind: "sqlite" | "file" | "postgres" | "s3" | "denokv";
  /** The URL without password, to be shown. */
  readonly shown: string;
  /** Where it is on this machine; `undefined` if it is elsewhere. */
  readonly path: string | undefined;
  /** For those that are reached over the network. */
  readonly url: URL | undefined;
  /** Whether it is there, as far as can be seen without opening it. */
  isThere(): boolean;
  /** Opens it. `write` also lets it be created. */
  open(write: boolean): Storage;
}

/**
 * Reads the URL of a storage; opens nothing.
 *
 * @throws {UsageError} If it is none.
 */
export function placeOf(text: string, cwd: string): Place {
  const [, scheme = "", rest = ""] = /^([a-z0-9]+):(.*)$/s.exec(text) ?? [];
  switch (scheme) {
    case "sqlite":
      return localPlace("sqlite", rest, cwd, sqliteStorage);
    case "file":
      return localPlace(
        "file",
        text.startsWith("file:///") ? pathOf(text) : rest,
        cwd,
        fileStorage,
      );
    case "denokv":
      return denokvPlace(rest, text, cwd);
    case "postgres":
    case "postgresql":
      return postgresPlace(urlOf(text));
    case "s3":
      return s3Place(urlOf(text));
    default:
      throw new UsageError(
        "Cannot open a storage: its URL begins with none of sqlite:, file:, postgres:, s3:, denokv:",
      );
  }
}

function localPlace(
  kind: "sqlite" | "file",
  rest: string,
  cwd: string,
  make: (path: string) => Storage,
): Place {
  const relative = rest.replace(/^\/\/(?=\/)/, "");
  if (relative === "" || relative.startsWith(":")) {
    throw new UsageError(`Cannot open a storage: "${kind}:" has no path behind it`);
  }
  const path = absolute(relative, cwd);
  return {
    kind,
    shown: `${kind}:${relative}`,
    path,
    url: undefined,
    isThere: () => isThere(kind, path),
    open: (write) => {
      if (!write && !isThere(kind, path)) throw notThere(`${kind}:${relative}`);
      return make(path);
    },
  };
}

function denokvPlace(rest: string, shown: string, cwd: string): Place {
  // Without a path it is the database of the application, which Deno looks for itself.
  const isElsewhere = rest === "" || rest.startsWith("http") || rest === ":memory:";
  const path = isElsewhere ? undefined : absolute(rest, cwd);
  const isThere = () => path === undefined || existsSync(path);
  return {
    kind: "denokv",
    shown,
    path,
    url: undefined,
    isThere,
    open: (write) => {
      if (!write && !isThere()) throw notThere(shown);
      return denokvStorage(path ?? (rest === "" ? undefined : rest));
    },
  };
}

function notThere(shown: string): HoldfastError {
  return new HoldfastError(
    "ERR_STORAGE_UNAVAILABLE",
    `Cannot open ${shown}: it is not there yet; the first write makes it`,
  );
}

/** Whether there is a storage, not only a place for one: an empty file, or a folder of other things. */
function isThere(kind: "sqlite" | "file", path: string): boolean {
  if (!existsSync(path)) return false;
  const found = statSync(path);
  if (kind === "sqlite") return !found.isFile() || found.size > 0;
  return !found.isDirectory() || existsSync(join(path, "records"));
}

function postgresPlace(url: URL): Place {
  const table = url.searchParams.get("table");
  const clean = new URL(url);
  clean.searchParams.delete("table");
  return {
    kind: "postgres",
    shown: withoutPassword(url),
    path: undefined,
    url: clean,
    isThere: () => true,
    open: (write) =>
      postgresStorage({ url: clean.href, migrate: write, ...(table === null ? {} : { table }) }),
  };
}

function s3Place(url: URL): Place {
  const { searchParams, hostname } = url;
  checkParameters(searchParams);
  const endpoint = searchParams.get("endpoint");
  const region = searchParams.get("region");
  const prefix = decoded(url.pathname.slice(1));
  if (hostname === "") throw new UsageError("Cannot open a storage: s3:// names no bucket");
  if (prefix === undefined) throw new UsageError("Cannot open a storage: its URL is malformed");
  if (url.username !== "" || url.password !== "") {
    throw new UsageError(
      "Cannot open a storage: credentials of S3 come from the environment, not from the URL",
    );
  }
  return {
    kind: "s3",
    shown: withoutPassword(url),
    path: undefined,
    url: urlOf(endpoint ?? `https://s3.${region ?? "us-east-1"}.amazonaws.com`),
    isThere: () => true,
    open: () =>
      s3Storage({
        bucket: hostname,
        prefix,
        ...(endpoint === null ? {} : { endpoint }),
        ...(region === null ? {} : { region }),
        ...(isSet(searchParams.get("pathStyle")) ? { forcePathStyle: true } : {}),
      }),
  };
}

const S3_PARAMETERS: readonly string[] = ["endpoint", "region", "pathStyle"];

/** A misspelt "endpoint" would lead to AWS. */
function checkParameters(given: URLSearchParams): void {
  for (const name of given.keys()) {
    if (S3_PARAMETERS.includes(name)) continue;
    const nearest = nearestName(name, S3_PARAMETERS);
    // Itself it is not told: it may be, or end with, a part of a secret that has "&" or no "=" before it.
    const what = nearest === undefined
      ? `what its URL may have are ${S3_PARAMETERS.map((one) => `"${one}"`).join(", ")}`
      : `s3:// does not know a parameter that is nearly "${nearest}"`;
    throw new UsageError(`Cannot open a storage: ${what}`);
  }
  const pathStyle = given.get("pathStyle");
  if (pathStyle === null || ["0", "1", "true", "false"].includes(pathStyle)) return;
  throw new UsageError('Cannot open a storage: "pathStyle" is neither 1 nor 0');
}

function isSet(text: string | null): boolean {
  return text === "1" || text === "true";
}

/** Whether two are one and the same, however they are written: a link, `./`, another port's default. */
export function isSamePlace(a: Place, b: Place): boolean {
  return a.kind === b.kind && identityOf(a) === identityOf(b);
}

function identityOf({ kind, shown, path, url }: Place): string {
  if (path !== undefined) return existsSync(path) ? realpathSync(path) : resolve(path);
  if (kind === "s3") {
    // `app` and `app/` are the same prefix.
    const { hostname, pathname } = new URL(shown);
    return `${url?.href} ${hostname} ${pathname.endsWith("/") ? pathname : `${pathname}/`}`;
  }
  if (kind !== "postgres" || url === undefined) return shown;
  const table = new URL(shown).searchParams.get("table") ?? "holdfast_records";
  return `${url.hostname}:${url.port || "5432"}${url.pathname}?${table}`;
}

/**
 * Uses a storage and closes it.
 *
 * @throws What `use` throws, without the password of the URL.
 */
export async function withStorage<T>(
  place: Place,
  write: boolean,
  use: (storage: Storage) => Promise<T>,
): Promise<T> {
  let storage: Storage | undefined;
  try {
    storage = place.open(write);
    return await use(storage);
  } catch (error) {
    throw masked(error, place);
  } finally {
    await storage?.close?.();
  }
}

/** What an error says, and what each that led to it has said, unless it was said already. */
function withCauses(error: unknown): string {
  let message = messageOf(error);
  let at: unknown = error;
  for (let depth = 0; depth < 4 && at instanceof Error && at.cause !== undefined; depth++) {
    at = at.cause;
    const more = messageOf(at);
    if (!message.includes(more)) message += ` (${more})`;
  }
  return message;
}

/** The error without the password; with its cause, which says what a driver found. */
function masked(error: unknown, { url }: Place): unknown {
  if (error instanceof TypeError || error instanceof RangeError) return error;
  let message = withCauses(error);
  const { password = "", searchParams } = url ?? {};
  for (const secret of [password, decoded(password), searchParams?.get("password")]) {
    if (secret) message = message.replaceAll(secret, "***");
  }
  return error instanceof HoldfastError
    ? new HoldfastError(error.code, message)
    : new Error(message);
}

function urlOf(text: string): URL {
  try {
    return new URL(text);
  } catch {
    // Without the text: it may hold a password.
    throw new UsageError("Cannot open a storage: its URL is malformed");
  }
}

/** Text without its escapes; `undefined` if they make no sense. */
function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function pathOf(url: string): string {
  try {
    return fileURLToPath(url);
  } catch (error) {
    throw new UsageError(`Cannot open a storage: ${messageOf(error)}`);
  }
}

function withoutPassword(url: URL): string {
  const shown = new URL(url);
  shown.password = "";
  shown.searchParams.delete("password");
  return shown.href;
}

function absolute(path: string, cwd: string): string {
  return isAbsolute(path) ? path : join(cwd, path);
}

/** Calls `stop` when the process is told to end, until the returned function is called. */
export function onInterrupt(stop: () => void): () => void {
  const signals = ["SIGINT", "SIGTERM"] as const;
  for (const signal of signals) process.once(signal, stop);
  return () => {
    for (const signal of signals) process.off(signal, stop);
  };
}
