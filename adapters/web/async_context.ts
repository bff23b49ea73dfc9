import type { Around } from "../../src/ports/telemetry.ts";

/** What this file uses of `node:async_hooks`. */
interface AsyncHooks {
  readonly AsyncLocalStorage?: { snapshot?(): Around };
}

/** The global {@linkcode findSnapshot} looks for, which does not have to be there. */
export interface ContextGlobals {
  /** The way to `node:async_hooks` without an import. */
  readonly process?: { getBuiltinModule?(id: string): unknown };
}

/**
 * Finds what remembers the async context of who asks, `undefined` where there is none. On Bun, Deno
 * and Node it is there.
 *
 * @param globals Where to look.
 * @returns The function.
 */
export function findSnapshot(
  globals: ContextGlobals = globalThis as ContextGlobals,
): (() => Around) | undefined {
  // By way of the global, so that a bundle for a runtime without node:async_hooks still builds.
  const hooks = globals.process?.getBuiltinModule?.("node:async_hooks") as AsyncHooks | undefined;
  const storage = hooks?.AsyncLocalStorage;
  return typeof storage?.snapshot === "function" ? () => storage.snapshot?.() ?? here : undefined;
}

const here: Around = (run) => run();

/** Remembers the async context of who asks; `undefined` where there is none. */
export const snapshot: (() => Around) | undefined = findSnapshot();

/**
 * Runs a function in the async context this module was loaded in, which is nobody's request: for what
 * goes on in the background, whoever happened to set it going.
 */
export const outside: Around = snapshot?.() ?? here;
