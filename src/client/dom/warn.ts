import type { ConnectOptions } from "../options.ts";

/** Says what will not work, to those who develop. */
export function warn({ dev }: ConnectOptions, text: string): void {
  if (dev) console.warn(`holdfast: ${text}`);
}
