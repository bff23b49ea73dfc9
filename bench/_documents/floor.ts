import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { load, type Ws } from "./peers/load.ts";
import { filling, node, type Served } from "./served.ts";

/** A socket of any runtime. */
interface Peer {
  send(text: string): void;
}

/** What a client said: a join or an operation, in the frames of this library. */
interface Said {
  readonly t: string;
  readonly since?: { readonly seq: number };
  readonly op?: { readonly id: string; readonly set: { readonly note: string } };
}

interface Room {
  readonly nodes: Map<string, object>;
  readonly ops: string[];
  readonly peers: Set<Peer>;
}

const rooms = new Map<string, Room>();

function roomOf(name: string): Room {
  const room = rooms.get(name) ?? { nodes: new Map(), ops: [], peers: new Set() };
  rooms.set(name, room);
  return room;
}

/** Numbers an operation and tells everybody: what no ordered document can do without. */
function received(peer: Peer, name: string, text: string): void {
  const { t, since, op }: Said = JSON.parse(text);
  const room = roomOf(name);
  if (t === "join") {
    const seq = room.ops.length;
    const has = since === undefined
      ? { nodes: [...room.nodes] }
      : { ops: room.ops.slice(since.seq).map((each) => JSON.parse(each)) };
    peer.send(JSON.stringify({ t: "joined", epoch: "-", seq, ...has }));
    room.peers.add(peer);
  }
  if (op === undefined) return;
  room.nodes.set(op.id, { ...room.nodes.get(op.id), ...op.set });
  const entry = JSON.stringify({ seq: room.ops.length + 1, at: Date.now(), op });
  room.ops.push(entry);
  const told = `{"t":"ops","ops":[${entry}]}`;
  for (const each of room.peers) each.send(told);
}

const left = (peer: Peer, name: string): unknown => roomOf(name).peers.delete(peer);
const nameOf = (url: string): string => url.slice(url.lastIndexOf("/") + 1);

/** What is used of `Bun` and `Deno`. */
interface Globals {
  readonly Bun?: {
    serve(options: object): { readonly port: number };
  };
  readonly Deno?: {
    serve(options: object, handler: (request: Request) => Response): {
      readonly addr: { readonly port: number };
    };
    upgradeWebSocket(request: Request): { readonly socket: WebSocket; readonly response: Response };
  };
}

interface BunServer {
  upgrade(request: Request, options: object): boolean;
}
type BunPeer = Peer & { readonly data: string };

const { Bun, Deno } = globalThis as Globals;

/** Sockets of the runtime itself; of Node those of `ws`, which ours are, too. */
async function listen(): Promise<number> {
  if (Bun !== undefined) {
    return Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: (request: Request, server: BunServer) => {
        return server.upgrade(request, { data: nameOf(request.url) }) ? undefined : new Response();
      },
      websocket: {
        message: (peer: BunPeer, text: string) => received(peer, peer.data, text),
        close: (peer: BunPeer) => left(peer, peer.data),
      },
    }).port;
  }
  if (Deno !== undefined) {
    const { upgradeWebSocket } = Deno;
    const options = { port: 0, hostname: "127.0.0.1", onListen: () => {} };
    return Deno.serve(options, (request) => {
      const { socket, response } = upgradeWebSocket(request);
      const name = nameOf(request.url);
      socket.onmessage = ({ data }) => received(socket, name, data);
      socket.onclose = () => left(socket, name);
      return response;
    }).addr.port;
  }
  const { WebSocketServer } = await load<Ws>("ws");
  const server = createServer();
  new WebSocketServer({ server }).on("connection", (socket, { url = "" }) => {
    socket.on("message", (data) => received(socket, nameOf(url), String(data)));
    socket.on("close", () => left(socket, nameOf(url)));
  });
  await new Promise<void>((done) => void server.listen(0, "127.0.0.1", done));
  return (server.address() as AddressInfo).port;
}

/** Serves documents that are numbered, told and kept in memory: nothing is checked, and nothing is durable. */
export async function start(): Promise<Served> {
  const port = await listen();
  return {
    port,
    seed(name, count) {
      const { nodes } = roomOf(name);
      for (let n = 0; n < count; n++) nodes.set(node(n), { text: filling });
      return Promise.resolve();
    },
  };
}
