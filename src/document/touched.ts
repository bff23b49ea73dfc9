import type { PartsOf } from "./model.ts";
import type { Entry } from "./stored.ts";

/** So few entries are gone through anew rather than remembered. */
const fewEntries = 256;

/** So many entries are remembered at most before it begins anew. */
const mostEntries = 65_536;

/**
 * Which parts the entries of a log have touched. Of many who come back after a break of the network,
 * each has missed about the same thousands of entries: those are gone through once.
 */
export class Touched {
  /** By the name of a part, the number of the last entry that touched it. */
  readonly #last: Map<string, number> = new Map();
  /** The entries that are in it, the latter included. */
  #from = 0;
  #upTo = -1;
  /** The last entry that put a whole state in the place of everything. */
  #restored = -1;

  /**
   * The names of the parts that entries have touched; `undefined` if one has changed everything.
   *
   * @param missed All that come after a number, without a gap.
   */
  by<S, Op>(parts: PartsOf<S, Op>, missed: readonly Entry[]): Iterable<string> | undefined {
    if (missed.length < fewEntries) return namesOf(parts, missed);
    const from = missed[0]?.seq ?? 0;
    const upTo = missed.at(-1)?.seq ?? 0;
    if (from < this.#from || upTo < this.#upTo || upTo - this.#from >= mostEntries) this.forget();
    if (this.#upTo < from - 1) {
      this.forget();
      this.#from = from;
      this.#upTo = from - 1;
    }
    for (const entry of missed.slice(this.#upTo + 1 - from)) this.#take(parts, entry);
    if (this.#restored >= from) return undefined;
    const names: string[] = [];
    for (const [name, seq] of this.#last) if (seq >= from) names.push(name);
    return names;
  }

  /** Forgets everything: what it has seen may not have happened. */
  forget(): void {
    this.#last.clear();
    this.#from = 0;
    this.#upTo = this.#restored = -1;
  }

  #take<S, Op>(parts: PartsOf<S, Op>, { seq, op }: Entry): void {
    this.#upTo = seq;
    if (op === undefined) this.#restored = seq;
    else for (const name of parts.touched(op as Op)) this.#last.set(name, seq);
  }
}

function namesOf<S, Op>(
  parts: PartsOf<S, Op>,
  missed: readonly Entry[],
): ReadonlySet<string> | undefined {
  const names = new Set<string>();
  for (const { op } of missed) {
    // A restored state has been put in the place of everything.
    if (op === undefined) return undefined;
    for (const name of parts.touched(op as Op)) names.add(name);
  }
  return names;
}
