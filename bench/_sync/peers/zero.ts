import { once } from "node:events";
import { createServer } from "node:http";
import { text } from "node:stream/consumers";
import postgres from "postgres";
import { nowMicros } from "../clock.ts";
import { load } from "./load.ts";

/** A row of the measured table, as Zero's client has it. */
interface Row {
  readonly n: number;
  /** Microseconds since the epoch. */
  readonly at: number;
}

interface Query {
  readonly fn: (call: { readonly args: unknown }) => unknown;
}

interface Queries {
  readonly measured: () => unknown;
}

interface Column {
  readonly type: string;
}

interface View {
  addListener(listener: (rows: readonly Row[], result: string) => void): void;
  destroy(): void;
}

/** What is used of `@rocicorp/zero`. */
interface Module {
  table(name: string): {
    columns(all: Readonly<Record<string, Column>>): { primaryKey(name: string): object };
  };
  number(): Column;
  string(): Column;
  createSchema(definition: { readonly tables: readonly object[] }): object;
  createBuilder(schema: object): {
    readonly measured: { where(column: string, value: number): unknown };
  };
  defineQuery(query: () => unknown): unknown;
  defineQueries(all: { readonly measured: unknown }): Queries;
  mustGetQuery(queries: Queries, name: string): Query;
  readonly Zero: new (options: object) => {
    materialize(query: unknown, options: { readonly ttl: "none" }): View;
    close(): Promise<void>;
  };
}

/** What is used of `@rocicorp/zero/server`. */
interface ServerModule {
  handleQueryRequest(request: {
    readonly handler: (name: string, args: unknown) => unknown;
    readonly schema: object;
    readonly body: unknown;
    readonly userID: null;
  }): Promise<object>;
}

/** The one table, and the one query that both sides know by its name. */
function definitions({ table, number, string, ...zero }: Module) {
  const columns = { org: number(), id: number(), n: number(), at: number(), note: string() };
  const schema = zero.createSchema({
    tables: [table("measured").columns(columns).primaryKey("id")],
  });
  const builder = zero.createBuilder(schema);
  const query = zero.defineQuery(() => builder.measured.where("org", 0));
  return { schema, queries: zero.defineQueries({ measured: query }) };
}

/** The part of an application that says what a query with a name is: zero-cache asks it. */
async function serve(port: number, answer: (body: unknown) => Promise<object>) {
  const server = createServer((request, response) => {
    void text(request).then((body) => answer(JSON.parse(body))).then((answered) => {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify(answered));
    });
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return server;
}

/** Where the cache of Zero is, and where it asks for queries. */
export interface ZeroPorts {
  readonly cache: number;
  readonly queries: number;
}

/**
 * A view of twenty rows in a client of Zero, which has them in memory.
 *
 * @returns Ends it, when everything that was written has come.
 */
export async function zero(
  url: string,
  heard: (micros: number) => void,
  ports: ZeroPorts,
): Promise<() => Promise<void>> {
  const all = await load<Module>("@rocicorp/zero");
  const { handleQueryRequest } = await load<ServerModule>("@rocicorp/zero/server");
  const { schema, queries } = definitions(all);
  const handler = (name: string, args: unknown) => all.mustGetQuery(queries, name).fn({ args });
  const endpoint = await serve(
    ports.queries,
    (body) => handleQueryRequest({ handler, schema, body, userID: null }),
  );
  const cacheURL = `http://127.0.0.1:${ports.cache}`;
  const client = new all.Zero({
    cacheURL,
    schema,
    kvStore: "mem",
    userID: null,
    logLevel: "error",
  });
  const view = client.materialize(queries.measured(), { ttl: "none" });
  const seen = { n: 0 };
  await listening(view, heard, seen);
  return async () => {
    await everything(url, seen);
    view.destroy();
    await client.close();
    endpoint.closeAllConnections();
    endpoint.close();
  };
}

/** Settles when the rows of the server have come; from then on tells of each that is newer. */
function listening(
  view: View,
  heard: (micros: number) => void,
  seen: { n: number },
): Promise<void> {
  let [newest, complete] = [0, false];
  return new Promise((resolve) => {
    view.addListener((rows, result) => {
      const now = nowMicros();
      const before = newest;
      seen.n = 0;
      for (const { at, n } of rows) {
        newest = Math.max(newest, at);
        seen.n += n;
      }
      if (complete && newest > before) heard(now - newest);
      if (result === "complete" && rows.length > 0) complete = true;
      if (complete) resolve();
    });
  });
}

/** Waits until the client has every update: what it has not heard of is not counted as late. */
async function everything(url: string, seen: { readonly n: number }): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  const [row] = await sql`SELECT sum(n)::int AS n FROM measured WHERE org = 0`;
  await sql.end();
  const start = performance.now();
  while (seen.n < row!["n"]) {
    if (performance.now() - start > 60_000) {
      throw new Error("Zero has not come to an end in a minute");
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
