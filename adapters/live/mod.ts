/**
 * Live views: server-rendered, connected by a socket, and brought back as they were after a
 * reconnect, a crash or a deploy. Needs `jose` and `valibot` from npm.
 *
 * @module
 */
export { createLive } from "./live.ts";
export type {
  Html,
  LayoutParts,
  Live,
  LiveHandler,
  LiveOptions,
  LiveRequestContext,
  PageOptions,
  SocketEnd,
  SocketEvents,
  UpgradeWebSocket,
} from "./types.ts";
export { defineView, on, type ViewOptions } from "../../src/live/definition.ts";
export type { DrainTiming, LiveLimits, LiveTiming } from "../../src/live/limits.ts";
export type {
  AnyView,
  CheckedHandler,
  EventHandler,
  EventInput,
  KeyContext,
  LeaveReason,
  LiveEvent,
  LiveSession,
  NavigateOptions,
  RenderContext,
  Rendered,
  RenderedNow,
  ViewContext,
  ViewDefinition,
  ViewEvent,
  ViewRows,
  ViewWatch,
  ViewWatches,
  ViewWatchOptions,
  WatchRows,
} from "../../src/live/model.ts";
export type { DrainReport } from "../../src/live/server.ts";
export type { LiveJoinOptions } from "../../src/live/shared.ts";
export type { EventType, RecoveryStatus } from "../../src/live/protocol.ts";
