import { filling, node, type Served } from "../served.ts";
import { load } from "./load.ts";

/** What is used of `@hocuspocus/server`. */
interface Module {
  readonly Server: new (options: object) => {
    readonly address: { readonly port: number };
    readonly hocuspocus: {
      openDirectConnection(name: string): Promise<{
        transact(change: (doc: Content) => void): Promise<void>;
      }>;
    };
    listen(): Promise<unknown>;
  };
}

interface Content {
  getMap(name: string): { set(key: string, value: string): void };
}

/** Serves documents of Hocuspocus, in memory. */
export async function start(): Promise<Served> {
  const { Server } = await load<Module>("@hocuspocus/server");
  const server = new Server({ port: 0, quiet: true, stopOnSignals: false });
  await server.listen();
  return {
    port: server.address.port,
    async seed(document, nodes) {
      const direct = await server.hocuspocus.openDirectConnection(document);
      await direct.transact((doc) => {
        for (let n = 0; n < nodes; n++) doc.getMap("nodes").set(node(n), filling);
      });
    },
  };
}
