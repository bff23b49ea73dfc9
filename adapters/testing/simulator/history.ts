import type { ObjectSpec } from "../../../src/object/model.ts";
import type { SimulatedFault } from "./faults.ts";

/** What became of a call as far as can be told from outside. */
export type CallOutcome =
  /** It has not been answered. */
  | "open"
  /** It was answered with what the handler returned, or threw. */
  | "answered"
  /** It was refused in a way that says that nothing happened, or never arrived. */
  | "refused"
  /** It may have happened. */
  | "unknown";

/** One call of a client on an object. */
export interface CallRecord {
  readonly object: string;
  readonly client: string;
  readonly node: string;
  /** The definition that its node serves; `undefined` if it serves none. */
  readonly spec: ObjectSpec | undefined;
  readonly handler: string | undefined;
  readonly args: readonly unknown[];
  readonly fresh: boolean;
  readonly from: number;
  /** When it came to its node; `undefined` if it has not. */
  arrived: number | undefined;
  /** Made by a handler: it may have waited after that, until what the handler has seen was durable. */
  readonly inner: boolean;
  to: number;
  outcome: CallOutcome;
  /** Name of the answer or the error, to compare it by. */
  reply: string | undefined;
  /** The record that was durable when the answer left. */
  durable: string | undefined;
}

/** One change of what is stored of an object. */
export interface Change {
  readonly at: number;
  readonly before: string | undefined;
  readonly after: string | undefined;
}

/** A `flush()` that was answered. */
export interface Flush {
  readonly object: string;
  readonly node: string;
  readonly from: number;
  readonly to: number;
  readonly ok: boolean;
}

/** How often what has happened in a simulation. */
export interface SimulationCounts {
  /** Calls by what became of them. */
  readonly calls: Readonly<Record<CallOutcome, number>>;
  /** Records that were written. */
  readonly writes: number;
  /** Faults that have happened. */
  readonly faults: Readonly<Partial<Record<SimulatedFault, number>>>;
  /** Objects whose calls were checked against their handlers, and those that could not be. */
  readonly checked: number;
  readonly unchecked: number;
}

/** Everything that can be seen from outside of a simulation, in the order it happened. */
export class History {
  readonly problems: string[] = [];
  readonly calls: CallRecord[] = [];
  readonly flushes: Flush[] = [];
  /** What is stored of each object, and everything that was before. */
  readonly changes: Map<string, Change[]> = new Map();
  readonly #lines: (() => string)[] = [];
  #step = 0;

  /** The next step: no two things happen at the same one. */
  step(): number {
    return ++this.#step;
  }

  /** Adds a line to the text of the history. */
  line(elapsedMs: number, ...words: readonly unknown[]): void {
    const at = this.#step;
    // Written when somebody asks: most histories are never read.
    this.#lines.push(() => `${at} ${elapsedMs.toFixed(3)} ${words.map(String).join(" ")}`);
  }

  /** Notes that something is not as it should be. */
  complain(problem: string): void {
    if (this.problems.length < 20) this.problems.push(problem);
  }

  /** What is stored of an object now. */
  durable(object: string): string | undefined {
    return this.changes.get(object)?.at(-1)?.after;
  }

  /** Notes that what is stored of an object has changed. */
  changed(object: string, after: string | undefined): void {
    const changes = this.changes.get(object) ?? [];
    this.changes.set(object, changes);
    changes.push({ at: this.step(), before: changes.at(-1)?.after, after });
  }

  /** The text of the history, a line for each thing that happened. */
  text(): string {
    return this.#lines.map((line) => line()).join("\n");
  }
}
