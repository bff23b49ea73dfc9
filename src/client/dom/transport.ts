/** What a transport tells. */
export interface TransportEvents {
  opened(): void;
  received(text: string): void;
  /** It is over; nothing is told after this. */
  closed(code: number): void;
}

/** A way of text frames to and from the server. */
export interface Transport {
  send(text: string): void;
  close(code: number): void;
}

/** Opens a WebSocket. */
export function openSocket(url: string, events: TransportEvents): Transport {
  const socket = new WebSocket(url.replace(/^http/, "ws"));
  socket.onopen = () => events.opened();
  socket.onmessage = ({ data }) => events.received(String(data));
  socket.onclose = ({ code }) => events.closed(code);
  return {
    send: (text) => socket.send(text),
    close(code) {
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close(code);
    },
  };
}
