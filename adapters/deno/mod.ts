/**
 * Serving on Deno: requests under way are finished and everything accepted is durable before the
 * process ends.
 *
 * @module
 */
export { serve } from "./serve.ts";
export type { ServeOptions, Server, ServerReport, StopSignal } from "../web/serving.ts";
