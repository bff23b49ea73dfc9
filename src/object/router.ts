import type { Call } from "./calls.ts";

/** What is done with an object. */
export type Operation = "call" | "delete" | "fire" | "flush" | "start" | "stop";

/** All there are, for reading what other nodes ask for. */
export const operations: readonly Operation[] = [
  "call",
  "delete",
  "fire",
  "flush",
  "start",
  "stop",
];

/** A call, or what is done instead of one: then `handler` is the alarm to fire, if anything. */
export interface Errand extends Call {
  readonly operation: Operation;
}

/** Decides where a call is run; there is one only where there are other nodes. */
export interface Router {
  /**
   * Takes what this process wants done with an object to where it belongs.
   *
   * @param run Does it here; `fresh`: on what the store holds now.
   */
  route(errand: Errand, run: (fresh: boolean) => Promise<unknown>): Promise<unknown>;
  /** Whether alarms of an object are fired by this node. */
  owns(className: string, key: string): boolean;
  /** Told that this process serves one more class. */
  serves(className: string, vsn: number): void;
}
