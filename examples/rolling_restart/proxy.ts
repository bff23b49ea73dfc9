/** What stands before the nodes: passes each new connection on to the node of the moment. */
import { connect, createServer, type Socket } from "node:net";

export interface Proxy {
  /** New connections go to this port from now on; the open ones stay where they are. */
  lead(port: number): void;
  close(): void;
}

/** Listens on a port. */
export async function startProxy(port: number): Promise<Proxy> {
  let upstream = 0;
  const open = new Set<Socket>();
  const server = createServer((client) => {
    const node = connect(upstream, "127.0.0.1");
    for (const [from, to] of [[client, node], [node, client]] as const) {
      open.add(from);
      from.pipe(to);
      from.on("error", () => {});
      from.on("close", () => {
        open.delete(from);
        to.destroy();
      });
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  return {
    lead: (to) => void (upstream = to),
    close() {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
}
