import * as module from "node:module";
import { serve } from "../../adapters/node/mod.ts";
import { assertEquals, assertRejects, runtime, skip, test } from "../harness/mod.ts";

const fetch = () => new Response("hello");

if (runtime === "node") {
  test("[SV8] without @hono/node-server, serve() on Node says what to install", async () => {
    const hooks = module.registerHooks({
      resolve(specifier, context, next) {
        if (specifier === "@hono/node-server") throw new Error("it is not there");
        return next(specifier, context);
      },
    });
    try {
      await assertRejects(() => serve({ fetch, port: 0 }), /npm install @hono\/node-server/);
    } finally {
      hooks.deregister();
    }
  });

  test("[SV8] without ws, serve() with live views says what to install, and else serves without", async () => {
    const hooks = module.registerHooks({
      resolve(specifier, context, next) {
        if (specifier === "ws") throw new Error("it is not there");
        return next(specifier, context);
      },
    });
    try {
      const live = { drain: () => Promise.resolve({}) };
      await assertRejects(() => serve({ fetch, port: 0, live }), /npm install ws/);
      const server = await serve({ fetch, port: 0 });
      assertEquals(await (await globalThis.fetch(server.url)).text(), "hello");
      await server.close();
    } finally {
      hooks.deregister();
    }
  });

  test("[SV8] ws can be handed in", async () => {
    const live = { drain: () => Promise.resolve({}) };
    const server = await serve({ fetch, port: 0, live, ws: import("ws") });
    assertEquals((await server.close()).complete, true);
  });

  test("[SV8] @hono/node-server can be handed in", async () => {
    const server = await serve({ fetch, port: 0, nodeServer: import("@hono/node-server") });
    assertEquals(await (await globalThis.fetch(server.url)).text(), "hello");
    assertEquals((await server.close()).complete, true);
  });
} else {
  skip("[SV8] without @hono/node-server, serve() on Node says what to install", "only on Node");
}
