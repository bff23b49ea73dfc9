import type { Entry } from "./stored.ts";

/** Steps that one actor can take back. */
const maxSteps = 100;

/** Actors whose steps are remembered; beyond it the one that has been quiet for longest goes. */
const maxActors = 1000;

/** What an actor can undo and redo: numbers of entries, the latest last. */
interface Stacks {
  readonly undo: number[];
  readonly redo: number[];
}

/** Per actor, what can be undone and redone, and what undoes it. Follows the log. */
export class UndoLog {
  readonly #actors: Map<string, Stacks> = new Map();
  readonly #inverses: Map<number, Entry> = new Map();

  /** Takes in entries in the order of the log. */
  take(entries: readonly Entry[]): void {
    for (const entry of entries) if (entry.actor !== null) this.#note(entry.actor, entry);
  }

  /** The entries an actor would undo, the first one first. */
  undoable(actor: string): readonly Entry[] {
    return this.#entries(this.#actors.get(actor)?.undo);
  }

  /** The undos an actor would take back, the first one first. */
  redoable(actor: string): readonly Entry[] {
    return this.#entries(this.#actors.get(actor)?.redo);
  }

  #entries(seqs: readonly number[] = []): readonly Entry[] {
    return seqs.toReversed().flatMap((seq) => this.#inverses.get(seq) ?? []);
  }

  #note(actor: string, entry: Entry): void {
    const stacks = this.#of(actor);
    const { undoes, redoes } = entry;
    if (undoes !== undefined) this.#drop(stacks.undo, undoes);
    if (redoes !== undefined) this.#drop(stacks.redo, redoes);
    // Something new makes what was undone before it history.
    if (undoes === undefined && redoes === undefined) this.#forget(stacks.redo, 0);
    if (entry.inverse === undefined) return;
    const stack = undoes === undefined ? stacks.undo : stacks.redo;
    stack.push(entry.seq);
    this.#inverses.set(entry.seq, entry);
    this.#forget(stack, maxSteps);
  }

  #of(actor: string): Stacks {
    const stacks = this.#actors.get(actor) ?? { undo: [], redo: [] };
    this.#actors.delete(actor);
    this.#actors.set(actor, stacks);
    for (const [quiet, { undo, redo }] of this.#actors) {
      if (this.#actors.size <= maxActors) break;
      this.#forget(undo, 0);
      this.#forget(redo, 0);
      this.#actors.delete(quiet);
    }
    return stacks;
  }

  #drop(stack: number[], seq: number): void {
    const index = stack.lastIndexOf(seq);
    if (index >= 0) stack.splice(index, 1);
    this.#inverses.delete(seq);
  }

  /** Keeps the last few steps of a stack. */
  #forget(stack: number[], keep: number): void {
    for (const seq of stack.splice(0, Math.max(0, stack.length - keep))) this.#inverses.delete(seq);
  }
}
