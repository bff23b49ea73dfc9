/**
 * Serving on Node: requests under way are finished, sockets are closed in good order, and everything
 * accepted is durable before the process ends.
 *
 * @module
 */
export { type NodeServeOptions, type NodeServerModule, serve } from "./serve.ts";
export { type SocketServerModule, upgradeWebSocket } from "./sockets.ts";
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
