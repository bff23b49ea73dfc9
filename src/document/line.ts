import { ConflictError } from "../core/errors.ts";
import { Queue } from "../object/queue.ts";
import type { Submission } from "./submission.ts";

/** How often an operation runs again after conflicts. */
const replays = 50;

/** An operation that was run, and its answer once all it has seen is durable. */
interface Held {
  readonly submission: Submission;
  /** The number of the version it has seen. */
  readonly seq: number;
  readonly answer: () => void;
}

/** The operations of a document that nobody has heard of yet: those to be run, and those held. */
export class Line {
  readonly #queue: Queue<Submission> = new Queue();
  #held: Held[] = [];

  /** How many there are. */
  get size(): number {
    return this.#queue.size + this.#held.length;
  }

  /** How many were run and are not answered. */
  get held(): number {
    return this.#held.length;
  }

  /** Puts one at the end. */
  push(submission: Submission): void {
    this.#queue.push(submission);
  }

  /** Takes the one whose turn it is. */
  next(): Submission | undefined {
    return this.#queue.shift();
  }

  /** Keeps an answer until a version is durable. */
  hold(submission: Submission, seq: number, answer: () => void): void {
    this.#held.push({ submission, seq, answer });
  }

  /** Gives the answers of those that have seen nothing later than a version. */
  release(seq: number): void {
    const later = this.#held.findIndex((held) => held.seq > seq);
    const free = this.#held;
    this.#held = later === -1 ? [] : free.splice(later);
    for (const { answer } of free) answer();
  }

  /** Puts what is held back to the front, in the order it came. */
  again(): void {
    for (const { submission } of this.#held.splice(0).reverse()) {
      if (submission.runs <= replays) this.#queue.unshift(submission);
      else {submission.reject(
          new ConflictError("Cannot apply an operation: others were always first"),
        );}
    }
  }

  /** Answers everybody with an error. */
  fail(error: unknown): void {
    for (const { submission } of this.#held.splice(0)) submission.reject(error);
    for (let next = this.#queue.shift(); next; next = this.#queue.shift()) next.reject(error);
  }
}
