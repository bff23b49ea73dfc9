import type { Around } from "../ports/telemetry.ts";
import type { Turn } from "./types.ts";

/** A message and the caller who waits for its answer. */
export interface Message {
  readonly turn: Turn<unknown>;
  /** Must see the state of the store at or after this count of refreshes; 0 for any. */
  readonly freshAfter: number;
  /** Answered as soon as it has run; it is still run again when it has to be (SPEC OJ18). */
  readonly early: boolean;
  /** Does what is done for its sake in the async context of its caller, if anybody cares. */
  readonly around: Around | undefined;
  readonly resolve: (reply: unknown) => void;
  readonly reject: (error: unknown) => void;
  runs: number;
}

/** A message that has run and whose answer nobody has seen yet. */
export interface Held {
  readonly message: Message;
  /** The answer may leave once this version is durable; `undefined` while it has none. */
  readonly version: number;
  readonly answer: () => void;
}

/** Runs a function in the async context of a message's caller. */
export function within<T>(message: Message | undefined, run: () => T): T {
  return message?.around === undefined ? run() : message.around(run);
}
