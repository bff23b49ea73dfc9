/** What a call, run alone on a state, answers and leaves behind. States and answers are text. */
export interface Outcome {
  readonly reply: string;
  readonly next: string;
}

/** One call on an object, as it was seen from outside. */
export interface Op {
  /** What a problem calls it. */
  readonly name: string;
  /** The step at which it began. */
  readonly from: number;
  /** The step at which it was answered; `Infinity` if it was not: it happened at some time, or never. */
  readonly to: number;
  /** What it was answered; `undefined` for anything. */
  readonly reply: string | undefined;
  /** Others that were before it in the same process, where turns come in the order of their calls. */
  readonly after: readonly Op[];
  /** It may have seen a state older than its beginning, if it changed nothing. */
  readonly mayLag: boolean;
  /** Runs it alone on a state. */
  apply(state: string): Outcome | Promise<Outcome>;
}

/** A state that was seen at one instant. */
export interface Sighting {
  readonly at: number;
  readonly state: string;
  /** The state it turned into at that instant, if it did. */
  readonly becomes?: string;
}

/** What is known of one object. */
export interface Past {
  readonly initial: string;
  readonly ops: readonly Op[];
  /** In the order of time. */
  readonly sightings: readonly Sighting[];
  /** What may happen to a state without anybody calling. */
  happenings(state: string): readonly string[] | Promise<readonly string[]>;
}

/** Whether a past can be explained; if not, how far it can be. */
export type Verdict =
  | { readonly kind: "linearizable" }
  | { readonly kind: "undecided" }
  | {
    readonly kind: "impossible";
    /** The names of the calls that can be put in order. */
    readonly placed: readonly string[];
    readonly state: string;
    /** What is to be explained next. */
    readonly stuck: string;
  };

/** Steps of the search after which it is given up. */
const maxSteps = 20_000;

/** A point of the search: what was put in order so far. */
interface Node {
  readonly placed: bigint;
  readonly seen: number;
  readonly state: string;
  /** How unlikely what was put in order since the last sighting is. */
  readonly cost: number;
  readonly before: Node | undefined;
  readonly op: number;
}

/**
 * Tells whether the calls of one object can be put in an order, each at one instant between its
 * beginning and its answer, in which each answers what it did and every state that was seen is there
 * when it was seen.
 *
 * The search is the one of Wing and Gong (Testing and Verifying Concurrent Objects, 1993), without
 * what it has met before as in Lowe (Testing for Linearizability, 2017). States that were seen lead
 * it: whatever explains more of them is followed first, and of that what looks most like the next
 * one. What changes nothing is put in order at once, because it stands in nobody's way.
 */
export async function linearize(past: Past): Promise<Verdict> {
  const search = new Search(past);
  return await search.run();
}

class Search {
  readonly #past: Past;
  readonly #ops: readonly Op[];
  readonly #index: ReadonlyMap<Op, number>;
  readonly #known: readonly Map<string, Outcome>[];
  readonly #met: Set<string> = new Set();
  /** What is still to be followed, by the sightings explained and by how promising it is. */
  readonly #open: Node[][][] = [];
  readonly #words: Map<string, readonly string[]> = new Map();
  #furthest: Node;

  constructor(past: Past) {
    this.#past = past;
    this.#ops = past.ops;
    this.#index = new Map(past.ops.map((op, at) => [op, at]));
    this.#known = past.ops.map(() => new Map());
    this.#furthest = {
      placed: 0n,
      seen: 0,
      state: past.initial,
      cost: 0,
      before: undefined,
      op: -1,
    };
  }

  async run(): Promise<Verdict> {
    this.#add(this.#furthest);
    for (let steps = 0; steps < maxSteps; steps++) {
      const start = this.#next();
      if (start === undefined) return this.#impossible();
      const node = await this.#settled(start);
      if (this.#isDone(node)) return { kind: "linearizable" };
      const key = `${node.placed.toString(36)} ${node.seen} ${node.state}`;
      if (this.#met.has(key)) continue;
      this.#met.add(key);
      if (this.#rank(node) > this.#rank(this.#furthest)) this.#furthest = node;
      for (const branch of await this.#branches(node)) this.#add(branch);
    }
    return { kind: "undecided" };
  }

  #add(node: Node): void {
    const target = this.#past.sightings[node.seen]?.state;
    const distance = target === undefined ? 0 : this.#distance(node.state, target);
    const level = this.#open[node.seen] ??= [];
    (level[2 * distance + node.cost] ??= []).push(node);
  }

  /** How unlike two states are, by the words of their text. Only says what to try first. */
  #distance(a: string, b: string): number {
    const [first, second] = [this.#wordsOf(a), this.#wordsOf(b)];
    let distance = Math.abs(first.length - second.length);
    for (let at = Math.min(first.length, second.length) - 1; at >= 0; at--) {
      if (first[at] !== second[at]) distance++;
    }
    return distance;
  }

  #wordsOf(state: string): readonly string[] {
    let words = this.#words.get(state);
    if (words === undefined) this.#words.set(state, words = state.split(/[^\w.-]+/));
    return words;
  }

  /** The most promising that is left. */
  #next(): Node | undefined {
    for (let seen = this.#open.length - 1; seen >= 0; seen--) {
      for (const nodes of this.#open[seen] ?? []) {
        const node = nodes?.pop();
        if (node !== undefined) return node;
      }
      this.#open.length = seen;
    }
    return undefined;
  }

  /** Puts in order what changes nothing and fits: sightings, and calls that only looked. */
  async #settled(start: Node): Promise<Node> {
    let node = start;
    for (let moved = true; moved;) {
      moved = false;
      const sighting = this.#past.sightings[node.seen];
      const horizon = this.#horizon(node);
      // A sighting comes after everything that was answered before.
      if (sighting !== undefined && sighting.state === node.state && sighting.at < horizon) {
        const state = sighting.becomes ?? node.state;
        node = { ...node, seen: node.seen + 1, state, cost: 0 };
        moved = true;
        continue;
      }
      for (let at = 0; at < this.#ops.length; at++) {
        const op = this.#ops[at] as Op;
        if (op.to === Infinity || isPlaced(node, at)) continue;
        if (!this.#isAfterOwn(node, op)) continue;
        if (!op.mayLag && !this.#isInTime(node, op, horizon)) continue;
        const { reply, next } = await this.#outcome(at, node.state);
        if (next !== node.state || (op.reply !== undefined && reply !== op.reply)) continue;
        node = place(node, at, next, 0);
        moved = true;
      }
    }
    return node;
  }

  async #branches(node: Node): Promise<readonly Node[]> {
    const found: Node[] = [];
    for (const next of await this.#past.happenings(node.state)) {
      if (next !== node.state) found.push({ ...node, state: next, cost: node.cost + 2 });
    }
    const horizon = this.#horizon(node);
    for (let at = this.#ops.length - 1; at >= 0; at--) {
      const op = this.#ops[at] as Op;
      if (isPlaced(node, at)) continue;
      if (!this.#isInTime(node, op, horizon) || !this.#isAfterOwn(node, op)) continue;
      const { reply, next } = await this.#outcome(at, node.state);
      if (next === node.state || (op.reply !== undefined && reply !== op.reply)) continue;
      // One that was never answered may be left out.
      found.push(place(node, at, next, op.to === Infinity ? 2 : 1));
    }
    return found;
  }

  async #outcome(at: number, state: string): Promise<Outcome> {
    const known = this.#known[at] as Map<string, Outcome>;
    let outcome = known.get(state);
    if (outcome === undefined) {
      const applied = (this.#ops[at] as Op).apply(state);
      outcome = applied instanceof Promise ? await applied : applied;
      known.set(state, outcome);
    }
    return outcome;
  }

  /** What begins, or is seen, after this has to come later than something that is not in order yet. */
  #horizon(node: Node): number {
    let horizon = Infinity;
    for (let at = 0; at < this.#ops.length; at++) {
      const { to } = this.#ops[at] as Op;
      if (to < horizon && !isPlaced(node, at)) horizon = to;
    }
    return horizon;
  }

  /** It comes after everything that was over, or seen, when it began. */
  #isInTime(node: Node, op: Op, horizon: number): boolean {
    const sighting = this.#past.sightings[node.seen];
    return op.from < horizon && (sighting === undefined || sighting.at > op.from);
  }

  #isAfterOwn(node: Node, op: Op): boolean {
    return op.after.every((other) => isPlaced(node, this.#index.get(other) ?? -1));
  }

  #isDone(node: Node): boolean {
    return node.seen === this.#past.sightings.length &&
      this.#ops.every(({ to }, at) => to === Infinity || isPlaced(node, at));
  }

  #rank({ seen, placed }: Node): number {
    let count = 0;
    for (let at = 0; at < this.#ops.length; at++) {
      if ((placed >> BigInt(at)) & 1n && (this.#ops[at] as Op).to !== Infinity) count++;
    }
    return seen + count;
  }

  #impossible(): Verdict {
    const furthest = this.#furthest;
    const placed: string[] = [];
    for (let node: Node | undefined = furthest; node !== undefined; node = node.before) {
      const op = this.#ops[node.op];
      if (op !== undefined) placed.unshift(op.name);
    }
    const sighting = this.#past.sightings[furthest.seen];
    const open = this.#ops.filter(({ to }, at) => to !== Infinity && !isPlaced(furthest, at));
    const first = open.sort((a, b) => a.to - b.to)[0];
    const stuck = sighting !== undefined && (first === undefined || sighting.at < first.to)
      ? `at step ${sighting.at} ${sighting.state} was stored`
      : `at step ${first?.to} ${first?.name} was answered ${first?.reply}`;
    return { kind: "impossible", placed, state: furthest.state, stuck };
  }
}

function isPlaced({ placed }: Node, at: number): boolean {
  return at >= 0 && ((placed >> BigInt(at)) & 1n) === 1n;
}

function place(node: Node, at: number, state: string, cost: number): Node {
  const placed = node.placed | (1n << BigInt(at));
  return { placed, seen: node.seen, state, cost: node.cost + cost, before: node, op: at };
}
