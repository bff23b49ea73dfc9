import type { UpgradeWebSocket } from "../live/types.ts";
import type { Clock } from "../../src/ports/clock.ts";

/**
 * Sockets that are closed after a time; the page connects again at once, if it still may: who was let in
 * is not let in for good.
 */
export function mortalSockets(
  upgrade: UpgradeWebSocket,
  clock: Clock,
  lifeMs: number,
): UpgradeWebSocket {
  return (createEvents) =>
    upgrade(async (c) => {
      const events = await createEvents(c);
      let cancel = () => {};
      return {
        ...events,
        onOpen(event, socket) {
          cancel = clock.timer(lifeMs, () => socket.close(1012, "again"), { background: true });
          events.onOpen?.(event, socket);
        },
        onClose(event, socket) {
          cancel();
          events.onClose?.(event, socket);
        },
        onError(event, socket) {
          cancel();
          events.onError?.(event, socket);
        },
      };
    });
}

/** The same for an answer that is a stream of events. */
export function mortalStream(response: Response, clock: Clock, lifeMs: number): Response {
  if (response.body === null || response.status !== 200) return response;
  const reader = response.body.getReader();
  let cancel = () => {};
  const body = new ReadableStream<Uint8Array>({
    start() {
      const end = () => void reader.cancel().catch(() => {});
      cancel = clock.timer(lifeMs, end, { background: true });
    },
    async pull(controller) {
      const { done, value } = await reader.read();
      if (!done) return controller.enqueue(value);
      cancel();
      controller.close();
    },
    cancel() {
      cancel();
      return reader.cancel();
    },
  }, { highWaterMark: 0 });
  return new Response(body, response);
}
