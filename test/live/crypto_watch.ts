import { setImmediate } from "node:timers";

/**
 * WebCrypto works on threads of its own, which no virtual clock waits for. So its calls are counted,
 * and time stands still while one is under way: else it would pass faster on a busy machine.
 */
let pending = 0;

for (const name of ["importKey", "sign", "verify"] as const) {
  // As a function of any arguments: the types of the three differ.
  const original = crypto.subtle[name].bind(crypto.subtle) as (
    ...given: unknown[]
  ) => Promise<unknown>;
  Object.defineProperty(crypto.subtle, name, {
    configurable: true,
    value: (...given: unknown[]): Promise<unknown> => {
      pending++;
      return original(...given).finally(() => pending--);
    },
  });
}

/** Resolves when no call of WebCrypto is under way. */
export async function cryptoIsIdle(): Promise<void> {
  while (pending > 0) await new Promise<void>((resolve) => void setImmediate(resolve));
}
