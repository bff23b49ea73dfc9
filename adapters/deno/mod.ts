/**
 * Serving on Deno: requests under way are finished, sockets are closed in good order, and everything
 * accepted is durable before the process ends.
 *
 * @module
 */
export { serve } from "./serve.ts";
export { upgradeWebSocket } from "./sockets.ts";
export type {
  Drainable,
  LiveDrained,
  ServeOptions,
  Server,
  ServerReport,
  StopSignal,
} from "../web/serving.ts";
export type {
  SocketClose,
  SocketEvents,
  SocketFailure,
  SocketHandle,
  SocketMessage,
  SocketOptions,
  UpgradeContext,
  UpgradeHandler,
} from "../web/sockets.ts";
