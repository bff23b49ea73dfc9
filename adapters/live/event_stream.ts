import type { LiveSocket } from "../../src/live/ports.ts";
import type { Clock } from "../../src/ports/clock.ts";

/** How often something is sent, so that nobody in between takes the stream for dead. */
const keepAliveMs = 15_000;

/** Text that may wait for a page that does not read; past it the stream is ended. */
const maxWaiting = 4 * 1024 * 1024;

/** The server's end of a connection over plain requests: events down, posts up. */
export class EventStream implements LiveSocket {
  readonly response: Response;
  readonly #clock: Clock;
  readonly #onEnd: () => void;
  readonly #encoder: TextEncoder = new TextEncoder();
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #cancelTimer: () => void = () => {};

  /** @param onEnd Called once, when the page or the server has ended the stream. */
  constructor(id: string, clock: Clock, onEnd: () => void) {
    this.#clock = clock;
    this.#onEnd = onEnd;
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => void (this.#controller = controller),
      cancel: () => this.#end(),
    }, { highWaterMark: maxWaiting, size: (chunk) => chunk?.byteLength ?? 0 });
    this.response = new Response(body, {
      headers: {
        "content-type": "text/event-stream; charset=utf-8",
        "cache-control": "no-store",
        // Some proxies would collect the events otherwise.
        "x-accel-buffering": "no",
      },
    });
    this.#write(`event: open\ndata: ${id}\n\n`);
    this.#keepAlive();
  }

  send(text: string): void {
    // A frame is JSON, so it has no line breaks of its own.
    this.#write(`data: ${text}\n\n`);
  }

  close(code: number, _reason: string): void {
    this.#write(`event: close\ndata: ${code}\n\n`);
    const controller = this.#controller;
    this.#end();
    try {
      controller?.close();
    } catch {
      // The page was faster.
    }
  }

  #keepAlive(): void {
    this.#cancelTimer = this.#clock.timer(keepAliveMs, () => {
      this.#write(":\n\n");
      if (this.#controller !== undefined) this.#keepAlive();
    }, { background: true });
  }

  #write(text: string): void {
    const controller = this.#controller;
    if (controller === undefined) return;
    try {
      controller.enqueue(this.#encoder.encode(text));
      if ((controller.desiredSize ?? 1) > 0) return;
      controller.error(new Error("Cannot send any more: the page does not read"));
    } catch {
      // The page is gone.
    }
    this.#end();
  }

  #end(): void {
    if (this.#controller === undefined) return;
    this.#controller = undefined;
    this.#cancelTimer();
    this.#onEnd();
  }
}
