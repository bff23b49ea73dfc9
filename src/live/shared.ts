import type { DocumentClient, Membership } from "../document/client.ts";
import type { DocumentDefinition } from "../document/model.ts";
import type { DocumentFrame } from "../document/frame.ts";
import type { Key } from "../sync/key.ts";
import type { OpenWatch, WatchOptions, WatchSource } from "../sync/watch.ts";

/** Options of `ctx.join`. */
export interface LiveJoinOptions {
  /** Who. @default {null} */
  readonly actor?: string | null;
  /** May only look. @default {false} */
  readonly readOnly?: boolean;
}

/** Finds documents; what their state and operations are the definition says. */
export type DocumentPort = <S, Op>(
  definition: DocumentDefinition<S, Op>,
  id: string,
) => DocumentClient<S, Op>;

/**
 * Subscribes a view to a document, for the life of the view.
 *
 * @param signal Ends the subscription.
 * @param changed Called after each change of the document or of who is here.
 */
export async function subscribe<S, Op>(
  document: DocumentClient<S, Op>,
  { actor = null, readOnly = false }: LiveJoinOptions,
  signal: AbortSignal,
  changed: (frame: DocumentFrame) => void,
): Promise<Membership<S, Op>> {
  const membership = await document.join({ actor, readOnly, deliver: (frame) => changed(frame) });
  if (signal.aborted) membership.leave();
  else signal.addEventListener("abort", () => membership.leave(), { once: true });
  return membership;
}

/**
 * Opens a watch for the life of a view.
 *
 * @param signal Ends it.
 * @param changed Called whenever there is another snapshot.
 */
export function follow<Value, Sql>(
  source: WatchSource<Sql>,
  options: WatchOptions<Value, Sql>,
  key: Key,
  signal: AbortSignal,
  changed: () => void,
): OpenWatch<Value> {
  const watch = source.open(options, key);
  if (signal.aborted) {
    watch.close();
    return watch;
  }
  watch.subscribe(() => changed());
  signal.addEventListener("abort", () => watch.close(), { once: true });
  return watch;
}
