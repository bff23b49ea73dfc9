import { wrongArgument } from "../core/options.ts";
import type { Key } from "../sync/key.ts";
import type { OpenWatch, WatchSnapshot, WatchSource } from "../sync/watch.ts";
import type {
  KeyContext,
  ViewRows,
  ViewWatch,
  ViewWatches,
  ViewWatchOptions,
  WatchRows,
  WatchSpecs,
} from "./model.ts";

const watchName = /^(?!(?:__proto__|constructor|prototype)$)[A-Za-z_$][A-Za-z0-9_$]{0,63}$/;

/**
 * Reads what a definition watches.
 *
 * @param what Names the definition.
 * @throws {TypeError} If it makes no sense.
 */
export function readWatches<S extends object, W extends object>(
  given: ((rows: WatchRows<S>) => ViewWatches<W>) | undefined,
  what: string,
): WatchSpecs {
  if (given === undefined) return new Map();
  if (typeof given !== "function") {
    throw wrongArgument(`Cannot define ${what}: "watch" is not a function`);
  }
  const made = new Set<unknown>();
  const watches: unknown = given((source, options) => {
    const watch = describe(source, options, what);
    made.add(watch);
    return watch;
  });
  if (typeof watches !== "object" || watches === null) {
    throw wrongArgument(`Cannot define ${what}: "watch" does not return an object`);
  }
  for (const [name, watch] of Object.entries(watches)) {
    if (!watchName.test(name)) {
      const shown = JSON.stringify(name.slice(0, 80));
      throw wrongArgument(`Cannot define ${what}: rows cannot be named ${shown}`);
    }
    if (made.has(watch)) continue;
    throw wrongArgument(`Cannot define ${what}: "${name}" was not made by what "watch" is given`);
  }
  return new Map(Object.entries(watches));
}

function describe<S extends object, Value, Sql>(
  source: WatchSource<Sql>,
  given: ViewWatchOptions<S, Value, Sql>,
  what: string,
): ViewWatch<Value> {
  if (typeof source?.open !== "function") {
    throw wrongArgument(`Cannot define ${what}: it watches rows of what createSync() did not make`);
  }
  // The same object for every view: those of one key share what is loaded.
  const { key, ...options } = given;
  if (typeof key !== "function") {
    const table = String(options.table);
    throw wrongArgument(`Cannot define ${what}: the key of its watch of "${table}" is no function`);
  }
  return {
    keyOf: (ctx) => key(ctx as KeyContext<S>),
    open: (of) => source.open(options, of),
  };
}

const nothing: WatchSnapshot<unknown> = { value: undefined, status: "loading", version: 0 };

interface Held {
  readonly key: Key;
  readonly watch: OpenWatch<unknown>;
}

/** The rows one view watches, each of the key it has at the moment. */
export class HeldRows {
  readonly #specs: WatchSpecs;
  readonly #changed: () => void;
  readonly #held = new Map<string, Held>();
  #closed = false;

  /** @param changed Called whenever there is something else to show. */
  constructor(specs: WatchSpecs, changed: () => void) {
    this.#specs = specs;
    this.#changed = changed;
  }

  /** What there is of each. */
  get snapshots(): ViewRows<Record<string, unknown>> {
    const one = (name: string): WatchSnapshot<unknown> =>
      this.#held.get(name)?.watch.getSnapshot() ?? nothing;
    return Object.fromEntries([...this.#specs.keys()].map((name) => [name, one(name)]));
  }

  /**
   * Watches the rows of the keys there are now; settles when all of them have been loaded, or with
   * `undefined` at once if nothing is another.
   *
   * @throws What a key, and what loading throws.
   */
  settle(ctx: unknown): Promise<void> | undefined {
    const opened: OpenWatch<unknown>[] = [];
    for (const [name, spec] of this.#specs) {
      const held = this.#held.get(name);
      const key = spec.keyOf(ctx) ?? undefined;
      if (this.#closed || key === held?.key) continue;
      held?.watch.close();
      this.#held.delete(name);
      if (key === undefined) continue;
      const watch = spec.open(key);
      this.#held.set(name, { key, watch });
      opened.push(watch);
    }
    return opened.length === 0 ? undefined : this.#loaded(opened);
  }

  /** Ends all of them. */
  close(): void {
    this.#closed = true;
    for (const { watch } of this.#held.values()) watch.close();
    this.#held.clear();
  }

  async #loaded(opened: readonly OpenWatch<unknown>[]): Promise<void> {
    try {
      await Promise.all(opened.map((watch) => watch.ready()));
    } finally {
      // Only now: what was loaded is about to be shown anyway.
      for (const watch of opened) watch.subscribe(this.#changed);
    }
  }
}
