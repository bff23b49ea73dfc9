/** What a transport tells. */
export interface TransportEvents {
  opened(): void;
  received(text: string): void;
  /** It is over; nothing is told after this. */
  closed(code: number): void;
}

/** A way of text frames to and from the server. */
export interface Transport {
  send(text: string): unknown;
  close(code: number): void;
}

/** Opens a transport below an address. */
export type OpenTransport = (url: string, events: TransportEvents) => Transport;

/** Opens the WebSocket of a live page. */
export const openSocket: OpenTransport = (url, events) => openWebSocket(`${url}/socket`, events);

/** Opens a WebSocket at the very address. */
export const openWebSocket: OpenTransport = (url, events) => {
  const socket = new WebSocket(url.replace(/^http/, "ws"));
  socket.onopen = () => events.opened();
  socket.onmessage = ({ data }) => events.received(data);
  socket.onclose = ({ code }) => events.closed(code);
  return {
    // One that is closing takes nothing; what was to be sent counts as lost when it has closed.
    send: (text) => socket.readyState === 1 && socket.send(text),
    close(code) {
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close(code);
    },
  };
};
