import { webRandom } from "../web/random.ts";
import type { DurableObjectContext, SqlLike } from "./platform.ts";
import { Records } from "./records.ts";
import type { Answer, Asked, Told } from "./wire.ts";

/** A class of Durable Objects that keep the records of {@linkcode durableObjectStorage}. */
export type DurableObjectStore = new (ctx: DurableObjectContext) => {
  /** Answers what a storage asks. */
  fetch(request: Request): Promise<Response>;
};

/**
 * Makes the class of the Durable Objects in which {@linkcode durableObjectStorage} keeps its records.
 * Export it from the Worker, bind it, and list it under `new_sqlite_classes`. Only the bindings to it
 * lead there: it has no address.
 *
 * @returns The class.
 *
 * @example In the module of the Worker
 * ```ts
 * import { durableObjectStore } from "@holdfast/holdfast/cloudflare";
 * import { assertEquals } from "@std/assert";
 *
 * const HoldfastStore = durableObjectStore(); // export it
 * assertEquals(typeof HoldfastStore.prototype.fetch, "function");
 * ```
 */
export function durableObjectStore(): DurableObjectStore {
  return Store;
}

class Store {
  readonly #sql: SqlLike;
  readonly #records: Records;
  /** How many stores there are; 0 until it was asked for the first time. */
  #shards: number;

  constructor({ storage: { sql } }: DurableObjectContext) {
    this.#sql = sql;
    this.#records = new Records(sql, webRandom());
    sql.exec("CREATE TABLE IF NOT EXISTS holdfast_store (shards INTEGER NOT NULL) STRICT");
    this.#shards = Number(
      sql.exec("SELECT shards FROM holdfast_store").toArray()[0]?.["shards"] ?? 0,
    );
  }

  async fetch(request: Request): Promise<Response> {
    return Response.json(this.#answer(await request.json()));
  }

  #answer(asked: Asked): Told {
    const { shards, admitted } = asked;
    if (this.#shards !== 0 && this.#shards !== shards) {
      return { ok: false, why: `it is one of ${this.#shards} stores, and not of ${shards}` };
    }
    if (this.#shards === 0 && !admitted) return { ok: false, why: "it is new", isNew: true };
    try {
      if (this.#shards === 0) this.#join(shards);
      return { ok: true, answer: this.#call(asked) };
    } catch (error) {
      // A statement that fails has done nothing.
      return { ok: false, why: error instanceof Error ? error.message : String(error) };
    }
  }

  #call(asked: Asked): Answer {
    switch (asked.call) {
      case "join":
        return null;
      case "get":
        return this.#records.get(asked.key) ?? null;
      case "put":
        return this.#records.put(asked.key, asked.value, asked);
      case "delete":
        return this.#records.delete(asked.key, asked.ifMatch);
      case "list":
        return this.#records.list(asked.prefix, asked.after, asked.limit);
    }
  }

  #join(shards: number): void {
    this.#sql.exec("INSERT INTO holdfast_store (shards) VALUES (?)", shards);
    this.#shards = shards;
  }
}
