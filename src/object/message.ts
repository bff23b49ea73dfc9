import type { Around } from "../ports/telemetry.ts";
import type { Decision, Turn } from "./types.ts";

/** A turn and what becomes of its answer: of each call exactly one of the two is told, once. */
export interface Task<R> {
  /** Runs on the object; possibly more than once. */
  turn(...current: Parameters<Turn<R>>): ReturnType<Turn<R>>;
  /** Told what the turn replied, once all it has seen is durable. Must not throw. */
  resolve(reply: R): void;
  /** Told why there is no reply. Must not throw. */
  reject(error: unknown): void;
}

/** An error as the outcome of a turn: it may tell of state that is not durable yet. */
export class Thrown {
  readonly error: unknown;
  constructor(error: unknown) {
    this.error = error;
  }
}

/** A task in the mailbox, or one that has run and whose answer nobody has seen yet. */
export interface Message {
  readonly task: Task<unknown>;
  /** Must see the state of the store at or after this count of refreshes; 0 for any. */
  readonly freshAfter: number;
  /** Answered as soon as it has run; it is still run again when it has to be (SPEC OJ18). */
  readonly early: boolean;
  /** Its early answer has left. */
  told: boolean;
  /** Does what is done for its sake in the async context of its caller, if anybody cares. */
  readonly around: Around | undefined;
  runs: number;
  /** How its last run ended; `undefined` while it waits, or if it has to be run again. */
  outcome: Decision<unknown> | Thrown | undefined;
  /** The answer may leave once this version is durable. */
  version: number;
}

/** Runs a function in the async context of a message's caller. */
export function within<T>(message: Message | undefined, run: () => T): T {
  return message?.around === undefined ? run() : message.around(run);
}
