import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Duplex } from "node:stream";
import { filling, node, type Served } from "../served.ts";
import { load, type Ws } from "./load.ts";

type Done = (error: unknown) => void;

/** What is used of `sharedb`. */
interface Module {
  readonly default: new () => {
    listen(stream: Duplex): void;
    connect(): {
      get(collection: string, id: string): {
        create(data: object, done: Done): void;
        subscribe(done: Done): void;
      };
    };
  };
}

const finished = (begin: (done: Done) => void): Promise<void> =>
  new Promise((resolve, reject) => begin((error) => error ? reject(error) : resolve()));

/** Serves documents of ShareDB, in memory. */
export async function start(): Promise<Served> {
  const { default: ShareDb } = await load<Module>("sharedb");
  const { WebSocketServer } = await load<Ws>("ws");
  const backend = new ShareDb();
  const server = createServer();
  new WebSocketServer({ server }).on("connection", (socket) => {
    // As @teamwork/websocket-json-stream does: an object per frame.
    const stream = new Duplex({
      objectMode: true,
      read() {},
      write(message, _, done) {
        socket.send(JSON.stringify(message), () => {});
        done();
      },
    });
    socket.on("message", (data) => void stream.push(JSON.parse(String(data))));
    socket.on("close", () => void stream.destroy());
    backend.listen(stream);
  });
  await new Promise<void>((done) => void server.listen(0, "127.0.0.1", done));
  return {
    port: (server.address() as AddressInfo).port,
    async seed(document, nodes) {
      const doc = backend.connect().get("bench", document);
      const data = Object.fromEntries(Array.from({ length: nodes }, (_, n) => [node(n), filling]));
      await finished((done) => doc.create(data, done));
      await finished((done) => doc.subscribe(done));
    },
  };
}
