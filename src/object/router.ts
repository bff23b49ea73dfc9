import type { Call } from "./calls.ts";

/** Decides where a call is run; there is one only where there are other nodes. */
export interface Router {
  /**
   * Takes a call of this process to where it belongs.
   *
   * @param run Runs it here; `fresh`: on what the store holds now.
   */
  route(call: Call, run: (fresh: boolean) => Promise<unknown>): Promise<unknown>;
  /** Whether alarms of an object are fired by this node. */
  owns(className: string, key: string): boolean;
  /** Told that this process serves one more class. */
  serves(className: string, vsn: number): void;
}
