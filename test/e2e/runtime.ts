/** The server adapter of the runtime that runs this. */
import type { ServeOptions, Server } from "../../adapters/web/serving.ts";
import { runtime } from "./process.ts";

const adapter: { serve(options: ServeOptions): Promise<Server> } = await import(
  `../../adapters/${runtime}/mod.ts`
);

export const serve: (options: ServeOptions) => Promise<Server> = adapter.serve;
