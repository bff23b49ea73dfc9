/**
 * A TCP proxy, because a page reconnects to the address it came from: it passes bytes on to a server
 * that can be changed, and can cut, stall and delay connections. Servers do not notice it.
 */
import { connect, createServer, type Server, type Socket } from "node:net";
import type { Buffer } from "node:buffer";

/** A request line that passed. */
export interface Passed {
  readonly method: string;
  readonly path: string;
}

/** Two sockets whose bytes are passed on to each other. */
interface Pair {
  readonly client: Socket;
  readonly upstream: Socket;
  /** Where it leads. */
  readonly port: number;
  stalled: boolean;
}

export class TcpProxy {
  readonly #server: Server;
  readonly #pairs: Set<Pair> = new Set();
  #port = 0;
  /** Port of the server new connections are passed on to. */
  upstream = 0;
  /** Whether new connections are cut at once, as if there were no network. */
  refusing = false;
  /** Whether new connections are accepted, and nothing is passed on. */
  stalling = false;
  /** Milliseconds each piece of data is held back. */
  delayMs = 0;
  /** Connections that were accepted. */
  connections = 0;
  /** Connections that were cut because it refused. */
  refused = 0;
  /** Every request, sockets included, in order. */
  readonly requests: Passed[] = [];

  constructor() {
    this.#server = createServer({ noDelay: true }, (client) => this.#accept(client));
  }

  /** Begins to listen on a free port, or on one that is wanted. */
  async listen(port = 0): Promise<this> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(port, "127.0.0.1", resolve);
    });
    const address = this.#server.address();
    if (typeof address === "object" && address !== null) this.#port = address.port;
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Connections open at the moment. */
  get open(): number {
    return this.#pairs.size;
  }

  /** How many requests there were for a path. */
  count(method: string, path: string): number {
    return this.requests.filter((one) => one.method === method && one.path === path).length;
  }

  /** Passes new connections on to another server; those that are open stay where they are. */
  lead(to: { readonly url: string }): void {
    this.upstream = Number(new URL(to.url).port);
  }

  /** Ends every connection without a word, or only those to one server. */
  cut(to?: { readonly url: string }): void {
    const port = to === undefined ? undefined : Number(new URL(to.url).port);
    for (const pair of [...this.#pairs]) if (port === undefined || pair.port === port) end(pair);
  }

  /** Keeps every open connection open and passes nothing on: half-open, as after a lost network. */
  stall(): void {
    for (const pair of this.#pairs) pair.stalled = true;
  }

  /** Ends everything. */
  async close(): Promise<void> {
    this.cut();
    await new Promise<void>((resolve) => void this.#server.close(() => resolve()));
  }

  #accept(client: Socket): void {
    this.connections++;
    client.on("error", () => {});
    if (this.refusing) {
      this.refused++;
      client.destroy();
      return;
    }
    const upstream = connect({ port: this.upstream, host: "127.0.0.1", noDelay: true });
    const pair: Pair = { client, upstream, port: this.upstream, stalled: this.stalling };
    this.#pairs.add(pair);
    const heads = new Heads((request) => void this.requests.push(request));
    client.on("data", (data: Buffer) => heads.read(data));
    this.#pass(pair, client, upstream);
    this.#pass(pair, upstream, client);
  }

  #pass(pair: Pair, from: Socket, to: Socket): void {
    from.on("data", (data: Buffer) => {
      const write = () => void (pair.stalled || to.destroyed || to.write(data));
      if (this.delayMs === 0) write();
      else setTimeout(write, this.delayMs);
    });
    from.on("error", () => {});
    from.on("end", () => void (pair.stalled || to.end()));
    from.on("close", () => {
      if (pair.stalled && from === pair.upstream) return;
      this.#pairs.delete(pair);
      end(pair);
    });
  }
}

function end({ client, upstream }: Pair): void {
  client.destroy();
  upstream.destroy();
}

/** Picks request lines out of what a client sends, until it sends frames. */
class Heads {
  readonly #found: (request: Passed) => void;
  #rest = "";
  #upgraded = false;

  constructor(found: (request: Passed) => void) {
    this.#found = found;
  }

  read(data: Buffer): void {
    if (this.#upgraded) return;
    this.#rest += data.toString("latin1");
    for (;;) {
      const head = /(GET|POST|HEAD) (\S+) HTTP\/1\.1\r\n[^]*?\r\n\r\n/.exec(this.#rest);
      if (head === null) return;
      const [text, method = "", path = ""] = head;
      this.#found({ method, path });
      this.#rest = this.#rest.slice(head.index + text.length);
      if (/\r\nupgrade: websocket\r\n/i.test(text)) this.#upgraded = true;
    }
  }
}
