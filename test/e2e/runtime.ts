/** The server adapter of the runtime that runs this. */
import type { ServeOptions, Server } from "../../adapters/web/serving.ts";
import type { UpgradeWebSocket } from "../../adapters/web/sockets.ts";
import { runtime } from "./process.ts";

interface Adapter {
  serve(options: ServeOptions & { readonly websocket?: object }): Promise<Server>;
  readonly upgradeWebSocket: UpgradeWebSocket;
}

const adapter: Adapter = await import(`../../adapters/${runtime}/mod.ts`);

export const serve: Adapter["serve"] = adapter.serve;
export const upgradeWebSocket: UpgradeWebSocket = adapter.upgradeWebSocket;
