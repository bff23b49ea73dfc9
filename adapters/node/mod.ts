/**
 * Serving on Node: requests under way are finished and everything accepted is durable before the
 * process ends.
 *
 * @module
 */
export { type NodeServeOptions, type NodeServerModule, serve } from "./serve.ts";
export type { ServeOptions, Server, ServerReport, StopSignal } from "../web/serving.ts";
