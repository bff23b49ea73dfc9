import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer as createHttp2Server, type Http2ServerRequest } from "node:http2";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { freePort } from "../../../test/harness/port.ts";
import { load, numberFrom, type PeerKind } from "./peer.ts";

interface Context {
  get(name: string): Promise<number | null>;
  set(name: string, value: number): void;
}

/** What is used of the SDK. */
interface Module {
  object(definition: object): unknown;
  createEndpointHandler(options: object): (request: Http2ServerRequest, response: never) => void;
}

const binary = fileURLToPath(
  new URL(
    `./node_modules/@restatedev/restate-server-${process.platform}-${process.arch}/bin/restate-server`,
    import.meta.url,
  ),
);

async function register(admin: string, uri: string): Promise<void> {
  for (let tries = 0;; tries++) {
    try {
      const headers = { "content-type": "application/json" };
      const body = JSON.stringify({ uri });
      const answer = await fetch(`${admin}/deployments`, { method: "POST", headers, body });
      if (answer.ok) return;
    } catch (error) {
      if (tries > 300) throw error;
    }
    await new Promise<void>((resolve) => void setTimeout(resolve, 100));
  }
}

/** Handlers in this process, called by Restate's server over HTTP/2. */
async function serve(): Promise<{ readonly port: number; close(): void }> {
  process.env["RESTATE_LOGGING"] = "ERROR";
  const { object, createEndpointHandler } = await load<Module>("@restatedev/restate-sdk");
  const read = async (ctx: Context): Promise<number> => await ctx.get("count") ?? 0;
  const increment = async (ctx: Context): Promise<number> => {
    const count = await read(ctx) + 1;
    ctx.set("count", count);
    return count;
  };
  const services = [object({ name: "counter", handlers: { increment, read } })];
  const handler = createEndpointHandler({ services });
  const server = createHttp2Server((request, response) => handler(request, response as never));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { port: (server.address() as AddressInfo).port, close: () => void server.close() };
}

/** Restate: its server, called over HTTP, and handlers in this process. */
export const restate: PeerKind = {
  label: "Restate, over HTTP",
  restarts: true,
  open: async (folder) => {
    const service = await serve();
    const [ingress, admin, node] = [await freePort(), await freePort(), await freePort()];
    const env = {
      ...process.env,
      RESTATE_INGRESS__BIND_ADDRESS: `127.0.0.1:${ingress}`,
      RESTATE_ADMIN__BIND_ADDRESS: `127.0.0.1:${admin}`,
      RESTATE_ADVERTISED_ADDRESS: `http://127.0.0.1:${node}`,
      RESTATE_LOG_FILTER: "error",
      DO_NOT_TRACK: "1",
    };
    const bind = ["--bind-address", `127.0.0.1:${node}`, "--no-logo"];
    const child = spawn(binary, ["--base-dir", folder, ...bind], { env, stdio: "ignore" });
    await register(`http://127.0.0.1:${admin}`, `http://127.0.0.1:${service.port}`);
    const call = (n: number, handler: string): Promise<number> =>
      numberFrom(`http://127.0.0.1:${ingress}/counter/user-${n}/${handler}`, { method: "POST" });
    return {
      increment: (n) => call(n, "increment"),
      read: (n) => call(n, "read"),
      close: async () => {
        const gone = once(child, "exit");
        child.kill();
        await gone;
        service.close();
      },
    };
  },
};
