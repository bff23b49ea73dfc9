import { Buffer } from "node:buffer";
import { connect, type Socket } from "node:net";

/** What a browser keeps, and what it was told last. */
export interface Kept {
  /** Cookie values by name. */
  readonly cookies: Readonly<Record<string, string>>;
  /** The last count that was acknowledged. */
  readonly count: number;
}

/** What a browser can ask for. */
export type Ask = "read" | "write";

const lines = { read: "GET /read HTTP/1.1", write: "POST /write HTTP/1.1" };
const bodies = { read: "", write: "content-length: 0\r\n" };

/**
 * The least of a browser: one connection that is kept alive, one request at a time on it, and the
 * cookies. Every answer is checked, also while measuring: a server that forgets is not fast.
 */
export class Browser {
  readonly #socket: Socket;
  readonly #cookies: Map<string, string>;
  /** There is a session, so that every answer is known beforehand. */
  readonly #checked: boolean;
  #count: number;
  #requests: Readonly<Record<Ask, Buffer>> | undefined;
  #received = "";
  #answer: ((body: string) => void) | undefined;
  #fail: ((error: Error) => void) | undefined;

  private constructor(socket: Socket, kept: Kept | undefined, checked: boolean) {
    this.#socket = socket;
    this.#cookies = new Map(Object.entries(kept?.cookies ?? {}));
    this.#count = kept?.count ?? 0;
    this.#checked = checked;
    socket.setEncoding("latin1").setNoDelay(true);
    socket.on("data", (text: string) => this.#receive(text));
    socket.on("error", (error) => this.#fail?.(error));
    socket.on("close", () => this.#fail?.(new Error("Cannot go on: the server hung up")));
  }

  /** Connects to a port of the loopback interface. */
  static open(port: number, kept: Kept | undefined, checked: boolean): Promise<Browser> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, "127.0.0.1", () => resolve(new Browser(socket, kept, checked)));
      socket.once("error", reject);
    });
  }

  /** What it would take along to another server. */
  get kept(): Kept {
    return { cookies: Object.fromEntries(this.#cookies), count: this.#count };
  }

  /**
   * Asks and checks the answer: a write has counted one further, a read sees the last write.
   *
   * @throws {Error} If the server gave a wrong answer or none.
   */
  async ask(what: Ask): Promise<void> {
    const body = await this.#send(this.#request(what));
    if (!this.#checked) return;
    const expected = what === "write" ? this.#count + 1 : this.#count;
    if (body !== String(expected)) {
      throw new Error(`Cannot go on: a ${what} answered ${body}, not ${expected}`);
    }
    this.#count = expected;
  }

  /** Hangs up. */
  close(): void {
    this.#fail = undefined;
    this.#socket.destroy();
  }

  #request(what: Ask): Buffer {
    if (this.#requests === undefined) {
      const pairs = Array.from(this.#cookies, ([name, value]) => `${name}=${value}`).join("; ");
      const cookie = pairs === "" ? "" : `cookie: ${pairs}\r\n`;
      const make = (ask: Ask): Buffer =>
        Buffer.from(`${lines[ask]}\r\nhost: 127.0.0.1\r\n${cookie}${bodies[ask]}\r\n`);
      this.#requests = { read: make("read"), write: make("write") };
    }
    return this.#requests[what];
  }

  #send(request: Buffer): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#answer = resolve;
      this.#fail = reject;
      this.#socket.write(request);
    });
  }

  #receive(text: string): void {
    this.#received += text;
    const headEnd = this.#received.indexOf("\r\n\r\n");
    if (headEnd < 0) return;
    const head = this.#received.slice(0, headEnd);
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    if (length === undefined || !head.startsWith("HTTP/1.1 200")) {
      return this.#fail?.(new Error(`Cannot go on: the server answered with\n${head}`));
    }
    const end = headEnd + 4 + Number(length);
    if (this.#received.length < end) return;
    const body = this.#received.slice(headEnd + 4, end);
    this.#received = this.#received.slice(end);
    this.#keepCookies(head);
    this.#answer?.(body);
  }

  #keepCookies(head: string): void {
    for (const [, name = "", value = ""] of head.matchAll(/\r\nset-cookie: *([^=]+)=([^;\r]*)/gi)) {
      if (this.#cookies.get(name) === value) continue;
      this.#cookies.set(name, value);
      this.#requests = undefined;
    }
  }
}
