// The way of one node to one server, which can be cut or go silent. Ends nobody notices are the worst.
import { connect, createServer, type Socket } from "node:net";

/** A way that can be cut. */
export interface Lane {
  readonly url: string;
  /** Ends all connections, and refuses new ones. */
  cut(): void;
  /** Keeps them open, and carries nothing more, for good. */
  silence(): void;
  /** Carries new connections again; silent ones are ended, as by who finds out that they are dead. */
  mend(): void;
  close(): Promise<void>;
}

/** Opens a way to a port of this machine. */
export async function openLane(port: number): Promise<Lane> {
  const pairs = new Set<readonly [Socket, Socket]>();
  let state: "open" | "cut" | "silent" = "open";
  const pass = (from: Socket, to: Socket): void => {
    from.on(
      "data",
      (data: Uint8Array) => void (state === "open" && !to.destroyed && to.write(data)),
    );
    from.on("error", () => {});
    from.on("close", () => void (state === "open" && to.destroy()));
  };
  const server = createServer({ noDelay: true }, (client) => {
    if (state === "cut") return void client.destroy();
    const upstream = connect({ port, host: "127.0.0.1", noDelay: true });
    const pair = [client, upstream] as const;
    pairs.add(pair);
    client.on("close", () => pairs.delete(pair));
    pass(client, upstream);
    pass(upstream, client);
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const end = (): void => {
    for (const pair of pairs) for (const socket of pair) socket.destroy();
    pairs.clear();
  };
  return {
    url: `nats://127.0.0.1:${typeof address === "object" ? address?.port : 0}`,
    cut: () => {
      state = "cut";
      end();
    },
    silence: () => void (state = "silent"),
    mend: () => {
      if (state === "silent") end();
      state = "open";
    },
    close: async () => {
      end();
      await new Promise<void>((resolve) => void server.close(() => resolve()));
    },
  };
}
