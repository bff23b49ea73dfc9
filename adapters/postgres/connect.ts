import { StorageUnavailableError } from "../../src/core/errors.ts";

/** A row of an answer. */
export type Row = Readonly<Record<string, unknown>>;

/** The part of an instance of the `postgres` package that the storage needs. */
export interface PostgresSql {
  /** Runs one statement; without parameters by the simple protocol. */
  unsafe(
    query: string,
    parameters?: string[],
    options?: { prepare?: boolean },
  ): PromiseLike<readonly Row[]>;
}

/** An instance that can be closed. */
export interface OwnSql extends PostgresSql {
  end(options: { timeout: number }): Promise<void>;
}

/** How a pool of our own is made. */
export interface PoolOptions {
  readonly url: string;
  readonly maxConnections: number;
  readonly prepare: boolean;
}

type MakeSql = (url: string, options: Readonly<Record<string, unknown>>) => OwnSql;

/** Loads a module by name; a parameter, so that what happens without the package can be tested. */
export type LoadModule = (name: string) => Promise<unknown>;

const CONNECT_TIMEOUT_S = 10;
const MAX_BACKOFF_S = 1;

/**
 * Makes a pool with the `postgres` package, which is loaded now. Nothing is connected yet.
 *
 * @param options Where to, and how many connections at most.
 * @param load Loads the package.
 * @returns The pool.
 * @throws {StorageUnavailableError} If the package is not installed. The message says what to do.
 */
export async function connectPool(
  { url, maxConnections, prepare }: PoolOptions,
  load: LoadModule = (name) => import(name),
): Promise<OwnSql> {
  const make = await findPostgres(load);
  return make(url, {
    max: maxConnections,
    prepare,
    connect_timeout: CONNECT_TIMEOUT_S,
    // The package's own waits up to 20 s; our callers wait for five.
    backoff: (failed: number) => Math.min(0.05 * 2 ** failed, MAX_BACKOFF_S),
    // Only text goes over the wire, so the round trip that asks for array types is saved.
    fetch_types: false,
    onnotice: () => {},
  });
}

async function findPostgres(load: LoadModule): Promise<MakeSql> {
  try {
    const module = await load("postgres") as { readonly default: MakeSql };
    return module.default;
  } catch (cause) {
    throw new StorageUnavailableError(
      'Cannot open the Postgres storage: the package "postgres" is not installed; ' +
        "add it (npm install postgres, bun add postgres, deno add npm:postgres) " +
        'or pass an instance of it as "sql"',
      "none",
      { cause },
    );
  }
}
