import { HoldfastError } from "../core/errors.ts";
import type { Submission } from "./submission.ts";
import type { Outcome } from "./version.ts";

/** Refused operations remembered per subscription: more than any client of ours has on its way. */
const maxRefused = 10_000;

/**
 * Keeps the numbered operations of one subscription in order when one of them is refused for now: those
 * after it are refused as well until it has come again. Done before it they would make it an old one,
 * which is never done (SPEC DO6, DC15).
 */
export class InTurn {
  /** What was refused for now and has not come again, with the error it was refused with. */
  readonly #refused: Map<number, HoldfastError> = new Map();

  /** An operation that runs only when none before it has to come again. */
  guard(seq: number, run: Submission["run"]): Submission["run"] {
    return (version) => {
      const before = this.#refusedBefore(seq);
      if (before !== undefined) throw this.refused(seq, before);
      try {
        const outcome = run(version);
        if (!(outcome instanceof Promise)) return this.#done(seq, outcome);
        return outcome.then((value) => this.#done(seq, value), (error) => {
          throw this.refused(seq, error);
        });
      } catch (error) {
        throw this.refused(seq, error);
      }
    };
  }

  /** Notes an operation that will come again, if that is what its error says, and returns the error. */
  refused(seq: number, error: unknown): unknown {
    if (error instanceof HoldfastError && error.retryable && this.#refused.size < maxRefused) {
      this.#refused.set(seq, error);
    }
    return error;
  }

  #done(seq: number, outcome: Outcome): Outcome {
    this.#refused.delete(seq);
    return outcome;
  }

  #refusedBefore(seq: number): HoldfastError | undefined {
    for (const [refused, error] of this.#refused) if (refused < seq) return error;
    return undefined;
  }
}
