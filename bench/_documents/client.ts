import type { Wire } from "./wires.ts";

/** One connection of the driver. */
export class Client {
  readonly wire: Wire;
  readonly #socket: WebSocket;
  /** Bytes that have come. */
  received = 0;
  /** Told of each marker that comes. */
  onMarker: (n: number) => void = () => {};
  readonly joined: Promise<void>;

  constructor(port: number, document: string, wire: Wire) {
    this.wire = wire;
    this.#socket = new WebSocket(`ws://127.0.0.1:${port}/${document}`);
    this.#socket.binaryType = "arraybuffer";
    this.joined = new Promise((resolve, reject) => {
      this.#socket.onopen = () => {
        for (const frame of wire.hello(document)) this.#socket.send(frame);
      };
      this.#socket.onclose = ({ code }) => reject(new Error(`The connection ended: ${code}`));
      this.#socket.onmessage = ({ data }) => {
        const text = typeof data === "string" ? data : Buffer.from(data).toString("latin1");
        this.received += text.length;
        if (wire.heard(text)) resolve();
        for (const [, n] of text.matchAll(/#(\d{9})#/g)) this.onMarker(Number(n));
      };
    });
    this.joined.catch(() => {});
  }

  /** Sends a change. */
  write(n: number): void {
    this.#socket.send(this.wire.write(`#${String(n).padStart(9, "0")}#`, n));
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#socket.onclose = () => resolve();
      this.#socket.close();
    });
  }
}
