import {
  checkKnown,
  kindOf,
  type OptionNames,
  shown,
  wrongArgument,
} from "../../src/core/options.ts";
import type { CallOptions } from "../../src/object/calls.ts";
import type { Storage } from "../../src/ports/storage.ts";
import type { SessionOptions } from "../../src/stash/session.ts";
import type { SweepOptions } from "../../src/stash/sweep.ts";

const callNames: OptionNames<CallOptions> = { fresh: "a boolean", existing: "a boolean" };

const openNames: OptionNames<SessionOptions> = { admit: "a function" };

const sweepNames: OptionNames<SweepOptions> = { after: "a string", limit: "a number" };

/** Checks the storage of a root: @throws {TypeError} If it is none. */
export function checkStorage(storage: Storage): void {
  if (typeof storage?.get === "function" && typeof storage.put === "function") return;
  const hint = typeof storage === "function" ? " but a function: call it" : "";
  throw wrongArgument(`Cannot create a holdfast: "storage" is not a storage${hint}`);
}

/** Checks the options of a call, and gives them back: @throws {TypeError} If they make no sense. */
export function checkCall(options: CallOptions | undefined): CallOptions | undefined {
  if (options !== undefined) checkKnown(options, callNames, "call an object");
  return options;
}

/** Checks the arguments of a call, and gives them back: @throws {TypeError} If they are no list. */
export function checkArgs(args: readonly unknown[], handler: unknown): readonly unknown[] {
  if (Array.isArray(args)) return args;
  const message = `Cannot call ${shown(handler)}: its arguments are ${kindOf(args)}, not an array`;
  throw wrongArgument(message);
}

/** Checks the options of a session, and gives them back: @throws {TypeError} If they make no sense. */
export function checkOpen(options: SessionOptions): SessionOptions {
  checkKnown(options, openNames, "open the session");
  return options;
}

/** Checks the options of a sweep, and gives them back: @throws {TypeError} If they make no sense. */
export function checkSweep(options: SweepOptions): SweepOptions {
  checkKnown(options, sweepNames, "sweep");
  return options;
}

/** Checks the options of a close, and gives them back: @throws {TypeError} If they make no sense. */
export function checkClose<O extends { readonly withinMs?: number }>(options: O): O {
  checkKnown<{ withinMs?: number }>(options, { withinMs: "a number" }, "close a holdfast");
  return options;
}
