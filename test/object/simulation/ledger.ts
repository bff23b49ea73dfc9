import { memoryStorage } from "../../../adapters/memory/storage.ts";
import type { Storage } from "../../../src/ports/storage.ts";
import { replacing } from "../world.ts";

interface Entry {
  readonly rev: number;
  readonly by: string;
  readonly ids: readonly string[];
  readonly ended: boolean;
}

/** The store of a simulation: every write that happens is checked and remembered at that instant. */
export class Ledger {
  /** What was found wrong. */
  readonly problems: string[] = [];
  readonly storage: Storage;
  readonly #entries: Map<string, Entry> = new Map();
  readonly #ever: Set<string> = new Set();
  readonly #names: Set<string> = new Set();

  constructor() {
    const memory = memoryStorage();
    this.storage = replacing(memory, {
      put: (key, value, options) =>
        memory.put(key, value, options).then((result) => {
          if (result.ok) this.#note(key, value);
          return result;
        }),
    });
  }

  /** The ids a key holds now, in order. */
  ids(key: string): readonly string[] {
    return this.#entries.get(key)?.ids ?? [];
  }

  /** Whether a key is ended. */
  ended(key: string): boolean {
    return this.#entries.get(key)?.ended ?? false;
  }

  /** Whether an id has ever been durable. */
  has(id: string): boolean {
    return this.#ever.has(id);
  }

  #note(key: string, text: string): void {
    const record = JSON.parse(text) as {
      rev: number;
      by: string;
      ended?: number;
      state?: { ids: string[] };
    };
    const before = this.#entries.get(key);
    const entry: Entry = {
      rev: record.rev,
      by: record.by,
      ids: record.state?.ids ?? [],
      ended: record.ended !== undefined,
    };
    this.#check(key, before, entry);
    this.#entries.set(key, entry);
    for (const id of entry.ids) this.#ever.add(id);
  }

  #check(key: string, before: Entry | undefined, entry: Entry): void {
    const complain = (what: string) => this.problems.push(`${key} rev ${entry.rev}: ${what}`);
    if (before?.ended) complain("an ended record was written over");
    if (entry.rev !== (before?.rev ?? 0) + 1) complain(`rev followed ${before?.rev ?? 0}`);
    if (this.#names.has(entry.by)) complain(`two writes have the name ${entry.by}`);
    this.#names.add(entry.by);
    if (new Set(entry.ids).size !== entry.ids.length) complain("an id was applied twice");
    if (entry.ended || before === undefined) return;
    if (!before.ids.every((id, n) => id === entry.ids[n])) complain("something durable was lost");
  }
}
