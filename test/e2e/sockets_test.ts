import { connect, type Socket } from "node:net";
import { Hono } from "hono";
import type { UpgradeWebSocket as UpgradeWebSocketOfHono } from "hono/ws";
import { session } from "../../adapters/hono/mod.ts";
import { memoryStorage } from "../../adapters/memory/mod.ts";
import type { ServeOptions, Server } from "../../adapters/web/serving.ts";
import type { SocketEvents, SocketHandle } from "../../adapters/web/sockets.ts";
import { createHoldfast } from "../../mod.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  runtime,
  test,
  type TestContext,
} from "../harness/mod.ts";
import { startServer } from "./process.ts";
import { serve, upgradeWebSocket } from "./runtime.ts";

/** A server with one route for sockets, below the session middleware. */
async function serving(
  t: TestContext,
  events: () => SocketEvents,
  more: Partial<ServeOptions> = {},
): Promise<Server> {
  const secrets = ["a secret of the tests, as long as it has to be"];
  const holdfast = createHoldfast({ storage: memoryStorage(), secrets });
  const app = new Hono();
  app.use(session(holdfast));
  app.get("/socket", upgradeWebSocket(events), (c) => c.text("no socket asked for"));
  const server = await serve({ fetch: app.fetch, port: 0, holdfast, signals: [], ...more });
  t.defer(async () => void await server.close());
  return server;
}

/** A client that keeps what comes. */
class Client {
  readonly socket: WebSocket;
  readonly messages: string[] = [];
  readonly opened: Promise<void>;
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  #wake: () => void = () => {};

  constructor({ url }: { readonly url: string }) {
    this.socket = new WebSocket(`${url.replace("http", "ws")}/socket`);
    this.opened = new Promise((resolve, reject) => {
      this.socket.onopen = () => resolve();
      this.socket.onerror = () => reject(new Error("The socket was refused"));
    });
    this.closed = new Promise((resolve) => {
      this.socket.onclose = ({ code, reason }) => resolve({ code, reason });
    });
    this.opened.catch(() => {});
    this.socket.onmessage = ({ data }) => {
      this.messages.push(String(data));
      this.#wake();
    };
  }

  /** Waits until so many messages have come. */
  async received(count: number): Promise<readonly string[]> {
    while (this.messages.length < count) {
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    return this.messages;
  }
}

const key = "dGhlIHNhbXBsZSBub25jZQ==";

/** A client made by hand, for what a well-behaved one cannot do. Resolves with the handshake. */
async function handshake(
  t: TestContext,
  { port }: Server,
  more = "",
): Promise<{ readonly connection: Socket; readonly head: string }> {
  const connection = connect(port, "127.0.0.1");
  t.defer(() => void connection.destroy());
  connection.on("error", () => {});
  connection.write(
    `GET /socket HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: WebSocket\r\n` +
      `Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n${more}\r\n`,
  );
  const head = await new Promise<string>((resolve) => {
    let text = "";
    connection.setEncoding("latin1").on("data", (more) => {
      text += more;
      if (text.includes("\r\n\r\n")) resolve(text);
    });
  });
  return { connection, head };
}

test("[SV9] messages come in their order, and what is no handshake goes to the next handler", async (t) => {
  const handles = new Set<object>();
  const server = await serving(t, () => ({
    onMessage({ data }, socket) {
      handles.add(socket);
      socket.send(data);
    },
  }));
  const client = new Client(server);
  await client.opened;
  const sent = Array.from({ length: 500 }, (_, i) => `${i} ünïcode`);
  for (const text of sent) client.socket.send(text);
  assertEquals(await client.received(sent.length), sent);
  assertEquals(handles.size, 1, "the handle is one object for the life of a socket");
  const plain = await fetch(`${server.url}/socket`);
  assertEquals(await plain.text(), "no socket asked for");
});

test("[SV9] a handshake is answered with 101 and without a cookie, however Upgrade is spelt", async (t) => {
  const server = await serving(t, () => ({}));
  const { head } = await handshake(t, server, "Cookie: holdfast=forged\r\n");
  assert(head.startsWith("HTTP/1.1 101"), head);
  assert(!/set-cookie/i.test(head), head);
  assert(/sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=/i.test(head), head);
});

test("[SV10] close codes and reasons of either side arrive as they were given", async (t) => {
  const ends: { code: number; reason: string }[] = [];
  const server = await serving(t, () => ({
    onMessage({ data }, socket) {
      const [code, reason = ""] = data.split(" ");
      socket.close(Number(code), reason);
      socket.send("too late, and of no consequence");
      socket.close(4999);
    },
    onClose: ({ code, reason }) => void ends.push({ code, reason }),
  }));
  for (const [code, reason] of [[1000, ""], [1012, "draining"], [4401, "ended"], [4429, "rate"]]) {
    const client = new Client(server);
    await client.opened;
    client.socket.send(`${code} ${reason}`);
    assertEquals(await client.closed, { code: Number(code), reason: String(reason) });
    assertEquals(client.messages, []);
  }
  const client = new Client(server);
  await client.opened;
  client.socket.close(4000, "no pong");
  await client.closed;
  while (ends.length < 5) await turn();
  assertEquals(ends.at(-1), { code: 4000, reason: "no pong" });
  const { connection } = await handshake(t, server);
  connection.destroy();
  while (ends.length < 6) await turn();
  assertEquals(ends.at(-1)?.code, 1006, "the connection was lost");
});

/** Lets whatever is ready run. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

test("[SV11] a message over the limit, counted in bytes, closes with 1009, a binary one with 1003", async (t) => {
  const heard: string[] = [];
  const server = await serving(t, () => ({ onMessage: ({ data }) => void heard.push(data) }), {
    sockets: { maxFrameBytes: 1000 },
  });
  const fine = new Client(server);
  await fine.opened;
  for (const text of ["x".repeat(1000), "é".repeat(500)]) fine.socket.send(text);
  while (heard.length < 2) await turn();
  for (const text of ["x".repeat(1001), "é".repeat(501)]) {
    const client = new Client(server);
    await client.opened;
    client.socket.send(text);
    assertEquals((await client.closed).code, 1009, text.slice(0, 1));
  }
  const binary = new Client(server);
  await binary.opened;
  binary.socket.send(new Uint8Array(8));
  assertEquals((await binary.closed).code, 1003);
  assertEquals(heard.length, 2);
});

test("[SV12] a handler that throws or rejects closes its socket with 1011, and no other", async (t) => {
  const told: string[] = [];
  const server = await serving(t, () => ({
    onMessage({ data }, socket) {
      if (data === "throw") throw new Error("thrown");
      if (data === "reject") return Promise.reject(new Error("rejected"));
      socket.send(data);
    },
    onError: ({ error }) => void told.push(String(error)),
  }));
  const bystander = new Client(server);
  await bystander.opened;
  for (const what of ["throw", "reject"]) {
    const client = new Client(server);
    await client.opened;
    client.socket.send(what);
    assertEquals((await client.closed).code, 1011);
  }
  bystander.socket.send("still here");
  assertEquals(await bystander.received(1), ["still here"]);
  assertEquals(told, ["Error: thrown", "Error: rejected"]);
});

test("[SV13] live views are drained first, then sockets closed with 1012, the listener, the holdfast", async (t) => {
  const steps: string[] = [];
  let release = () => {};
  const drained = new Promise<void>((resolve) => release = resolve);
  const server = await serving(
    t,
    () => ({ onClose: ({ code }) => void steps.push(`socket ${code}`) }),
    {
      live: {
        async drain() {
          steps.push("live");
          await drained;
          return { failed: 0 };
        },
      },
      holdfast: {
        close() {
          steps.push("holdfast");
          return Promise.resolve({ complete: true, unfinished: 0 });
        },
      },
    },
  );
  const client = new Client(server);
  await client.opened;
  const closing = server.close();
  while (steps.length === 0) await turn();
  // A proxy that still sends requests here gets its answers.
  assertEquals((await fetch(`${server.url}/socket`)).status, 200);
  assertEquals(client.socket.readyState, 1);
  release();
  assertEquals((await client.closed).code, 1012);
  assertEquals(await closing, { complete: true, unfinished: 0, cut: 0, live: { failed: 0 } });
  assertEquals(steps, ["live", "socket 1012", "holdfast"]);
  await assertRejects(() => new Client(server).opened);
});

test("[SV14] a client that does not answer that its socket is closed is left behind", async (t) => {
  const server = await serving(t, () => ({}), { withinMs: 3_600_000 });
  const { connection } = await handshake(t, server);
  const ended = new Promise<void>((resolve) => connection.once("close", () => resolve()));
  connection.pause();
  const { cut, complete } = await server.close();
  assertEquals({ cut, complete }, { cut: 0, complete: true });
  connection.resume();
  // Deno cannot end a connection whose client says nothing; its end of the process does.
  if (runtime !== "deno") await ended;
});

test("[SV15] a client that does not read is cut when too much waits for it", async (t) => {
  for (const length of [65_536, 200]) {
    const most = 2 ** 28 / length;
    let sent = 0;
    const ended = Promise.withResolvers<number>();
    const line = "x".repeat(length);
    const server = await serving(t, () => ({
      async onOpen(_, socket) {
        while (socket.readyState === 1 && sent < most) {
          socket.send(line);
          if (++sent % (2 ** 20 / length) < 1) await turn();
        }
      },
      onClose: ({ code }) => ended.resolve(code),
    }), { sockets: { maxBufferedBytes: 1_000_000 } });
    const { connection } = await handshake(t, server);
    connection.pause();
    await ended.promise;
    assert(sent < most, `${sent} messages of ${length} bytes were sent`);
  }
});

test("[SV20] what goes to many sockets arrives the same at each, in order with what goes to one", async (t) => {
  const lengths = [0, 1, 40, 41, 42, 125, 126, 21_845, 65_535, 65_536, 200_000];
  const texts = lengths.flatMap((length) => ["x".repeat(length), "…".repeat(length)]);
  for (const compress of [false, true]) {
    const handles: SocketHandle[] = [];
    const server = await serving(
      t,
      () => ({ onOpen: (_, socket) => void handles.push(socket) }),
      { sockets: { compress } },
    );
    const clients = [new Client(server), new Client(server), new Client(server)];
    await Promise.all(clients.map(({ opened }) => opened));
    while (handles.length < clients.length) await turn();
    for (const text of texts) {
      for (const each of handles) each.send(text);
      for (const [n, each] of handles.entries()) each.send(`only ${n % 2}`);
    }
    const heard = await Promise.all(clients.map((client) => client.received(2 * texts.length)));
    // Who has come as the how manieth is not known.
    const got = heard.map((messages) => ({
      all: messages.filter((_, at) => at % 2 === 0),
      own: messages[1],
    }));
    for (const { all, own } of got) {
      assertEquals(all, texts);
      assert(own === "only 0" || own === "only 1");
    }
    assertEquals(got.filter(({ own }) => own === "only 0").length, 2);
    for (const { socket } of clients) socket.close();
  }
});

test("[SV16] a client that answers no ping is ended", async (t) => {
  const ended = Promise.withResolvers<number>();
  const opened = Promise.withResolvers<void>();
  const server = await serving(t, () => ({
    onOpen: () => opened.resolve(),
    onClose: ({ code }) => ended.resolve(code),
  }), { sockets: { idleMs: 1_000 } });
  await handshake(t, server);
  await opened.promise;
  // What the runtimes call it differs.
  assert(await ended.promise >= 1001);
});

test("[SV17] on a signal open sockets are closed with 1012, and the code is 0", async (t) => {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    const server = await startServer("test/e2e/fixture/server.ts", {
      DATABASE: ":memory:",
      SECRET: "a secret of the tests, as long as it has to be",
      WITHIN_MS: "3600000",
    });
    t.defer(() => server.stop());
    const clients = Array.from({ length: 20 }, () => new Client(server));
    await Promise.all(clients.map(({ opened }) => opened));
    clients[0]?.socket.send("hello");
    assertEquals(await clients[0]?.received(1), ["hello"]);
    server.kill(signal);
    for (const { closed } of clients) assertEquals((await closed).code, 1012);
    assertEquals(await server.exited, { code: 0, signal: null }, server.output());
    assertEquals(server.output().split("socket closed").length - 1, 20, server.output());
  }
});

test("[SV2] wrong limits of sockets are told before anything listens", async () => {
  const start = (sockets: ServeOptions["sockets"]) => () =>
    serve({ fetch: () => new Response(), port: 0, ...(sockets === undefined ? {} : { sockets }) });
  await assertRejects(start({ maxFrameBytes: 0 }), /sockets\.maxFrameBytes is 0/);
  await assertRejects(start({ maxBufferedBytes: 1.5 }), /sockets\.maxBufferedBytes is 1\.5/);
  await assertRejects(start({ idleMs: 999 }), (error) => error instanceof RangeError);
});

const hono: Readonly<Record<typeof runtime, () => Promise<HonoHelper>>> = {
  bun: () => import("hono/bun"),
  deno: () => import("hono/deno"),
  node: () => import("@hono/node-server"),
};

/** What is used of the module in which Hono has its helper. */
interface HonoHelper {
  readonly upgradeWebSocket: UpgradeWebSocketOfHono;
  readonly websocket?: object;
}

test("[SV18] sockets that Hono's own helper opens work as well, under the same limits", async (t) => {
  const { upgradeWebSocket, websocket } = await hono[runtime]();
  const app = new Hono();
  app.get(
    "/socket",
    upgradeWebSocket(() => ({ onMessage: ({ data }, socket) => socket.send(`${data}!`) })),
  );
  const server = await serve({
    fetch: app.fetch,
    port: 0,
    signals: [],
    ...(websocket === undefined ? {} : { websocket }),
  });
  t.defer(async () => void await server.close());
  const client = new Client(server);
  await client.opened;
  client.socket.send("hello");
  assertEquals(await client.received(1), ["hello!"]);
  // We do not know of it, so it goes as the server's end takes it.
  client.socket.close();
  await client.closed;
});
