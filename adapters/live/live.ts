import type { Holdfast } from "../web/holdfast.ts";
import type { Live, LiveOptions } from "./types.ts";

/**
 * Puts live views on a root.
 *
 * @param holdfast The composition root.
 * @param options The views, and how pages connect.
 * @returns The routes and pages.
 */
export function createLive(holdfast: Holdfast, options: LiveOptions): Live {
  void holdfast;
  void options;
  throw new Error("Cannot create live views: not built yet");
}
