import type { OpenTransport } from "./transport.ts";
import { keys } from "./more_port.ts";

/**
 * Frames over server-sent events and requests, where sockets are blocked: what is sent while a
 * request is under way goes with the next one, so that the order stays.
 */
export const openStream: OpenTransport = (url, events) => {
  const source = new EventSource(`${url}/sse`);
  const queue: string[] = [];
  let id: string | undefined;
  let busy = false;

  const end = (code: number): void => {
    if (source.readyState === source.CLOSED) return;
    source.close();
    events.closed(code);
  };
  const send = async (): Promise<void> => {
    if (busy || id === undefined || queue.length === 0) return;
    busy = true;
    const body = `[${queue.splice(0).join()}]`;
    const headers = { "content-type": "application/json", "x-live-connection": id };
    try {
      // Kept alive for what is sent when the page goes away.
      const keepalive = body.length < 60_000;
      const { ok } = await fetch(`${url}/send`, { method: "POST", headers, body, keepalive });
      if (!ok) return end(1006);
    } catch {
      return end(1006);
    }
    busy = false;
    await send();
  };
  source.addEventListener("open", (event) => {
    // The browser has an event of this name, too, without data.
    if (!(event instanceof MessageEvent)) return;
    id = event.data;
    try {
      sessionStorage.setItem(keys.stream, "1");
    } catch {
      // It is found out again by the next page.
    }
    events.opened();
  });
  source.addEventListener("close", (event) => end(Number((event as MessageEvent).data)));
  source.onmessage = ({ data }) => events.received(data);
  source.onerror = () => end(1006);
  return {
    send(text) {
      queue.push(text);
      void send();
    },
    close: () => source.close(),
  };
};
