import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { filling, node, type Served } from "../served.ts";
import { load, type Socket, type Ws } from "./load.ts";

/** What is used of `@tldraw/store`. */
interface Store {
  createRecordType(name: string, options: object): object;
  readonly StoreSchema: { create(types: object): { serialize(): object } };
}

interface Room {
  handleSocketConnect(options: { readonly sessionId: string; readonly socket: Socket }): void;
}

/** What is used of `@tldraw/sync-core`. */
interface Sync {
  readonly TLSocketRoom: new (options: object) => Room;
}

/** Serves rooms of tldraw's sync core with records of a type of their own, in memory. */
export async function start(): Promise<Served> {
  const { createRecordType, StoreSchema } = await load<Store>("@tldraw/store");
  const { TLSocketRoom } = await load<Sync>("@tldraw/sync-core");
  const { WebSocketServer } = await load<Ws>("ws");
  const validator = { validate: (value: unknown) => value };
  const note = createRecordType("note", { scope: "document", validator });
  const schema = StoreSchema.create({ note });
  const rooms = new Map<string, Room>();
  const room = (name: string, documents: readonly object[] = []): Room => {
    const initialSnapshot = { clock: 1, documents, schema: schema.serialize() };
    const found = rooms.get(name) ?? new TLSocketRoom({ schema, initialSnapshot });
    rooms.set(name, found);
    return found;
  };
  const server = createServer();
  let sessions = 0;
  new WebSocketServer({ server }).on("connection", (socket, { url = "/" }) => {
    room(url.slice(1)).handleSocketConnect({ sessionId: String(++sessions), socket });
  });
  await new Promise<void>((done) => void server.listen(0, "127.0.0.1", done));
  return {
    port: (server.address() as AddressInfo).port,
    seed: (document, nodes) => {
      const records = Array.from({ length: nodes }, (_, n) => ({
        state: { id: `note:${node(n)}`, typeName: "note", text: filling },
        lastChangedClock: 1,
      }));
      room(document, records);
      return Promise.resolve();
    },
  };
}
