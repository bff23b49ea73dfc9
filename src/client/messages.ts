import type { ShownState } from "./view.ts";

/** What screen readers are told of the connection. */
export interface Messages {
  readonly connected: string;
  readonly reconnecting: string;
  readonly offline: string;
  readonly failed: string;
}

/** In English. */
export const defaultMessages: Messages = {
  connected: "Connected again.",
  reconnecting: "Connection lost. Reconnecting.",
  offline: "You are offline. What you type is kept.",
  failed: "The connection could not be restored. Please reload the page.",
};

/**
 * What to say when the state that is shown changes; nothing for what passes by, nor for a page that
 * has just been connected for the first time.
 */
export function announcement(
  messages: Messages,
  before: ShownState,
  now: ShownState,
): string | undefined {
  if (before === now || now === "connecting" || now === "draining") return undefined;
  if (now === "connected" && (before === "connecting" || before === "draining")) return undefined;
  return messages[now];
}
