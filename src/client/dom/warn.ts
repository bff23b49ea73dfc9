import type { ConnectOptions } from "../options.ts";

/** Says what will not work, to those who develop. */
export function warn({ dev }: ConnectOptions, text: string): void {
  if (dev) console.warn(`holdfast: ${text}`);
}

/** What fails here, of the page's own code for the most part, must not keep the rest from being done. */
export function attempt(run: () => void): void {
  try {
    run();
  } catch (error) {
    reportError(error);
  }
}
