import { randomInt } from "node:crypto";
import { createServer } from "node:net";

/**
 * Finds a port of the loopback interface that is free, below those systems give to connections
 * (Linux: from 32768): one of those may be taken again before the server that is to listen there
 * does, or while it is being restarted.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(10_000, 32_000);
    if (await canListen(port)) return port;
  }
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.on("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
