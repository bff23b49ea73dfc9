import { wrongArgument } from "../../src/core/options.ts";

/**
 * Checks what all calls of a storage take.
 *
 * @param what What cannot be done, for the message: `get`.
 * @throws {TypeError} If the options are no object, or their signal is none.
 */
export function checkCallOptions(options: unknown, what: string): void {
  if (typeof options !== "object" || options === null) {
    throw wrongArgument(`Cannot ${what}: its options are no object`);
  }
  const { signal } = options as { readonly signal?: unknown };
  if (signal === undefined || isSignal(signal)) return;
  throw wrongArgument(`Cannot ${what}: "signal" is no AbortSignal`);
}

function isSignal(signal: unknown): boolean {
  if (typeof signal !== "object" || signal === null) return false;
  const { addEventListener, throwIfAborted } = signal as Partial<AbortSignal>;
  return typeof addEventListener === "function" && typeof throwIfAborted === "function";
}
