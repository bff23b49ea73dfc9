import http from "node:http";
import { connect } from "node:net";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createVirtualClock, type VirtualClock } from "../../adapters/testing/mod.ts";
import {
  type Drainable,
  type ServeOptions,
  type Server,
  serverOf,
  serveSettings,
} from "../../adapters/web/serving.ts";
import { assert, assertEquals, assertRejects, test, type TestContext } from "../harness/mod.ts";
import { type ServerProcess, startServer } from "./process.ts";
import { serve } from "./runtime.ts";

/** Starts the fixture on a database of its own; started again, it is the same one. */
function fixture(t: TestContext): (env?: Record<string, string>) => Promise<ServerProcess> {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-e2e-"));
  t.defer(() => rmSync(folder, { recursive: true, force: true }));
  const env = {
    DATABASE: join(folder, "app.db"),
    SECRET: "a secret of the tests, as long as it has to be",
  };
  return async (more = {}) => {
    const server = await startServer("test/e2e/fixture/server.ts", { ...env, ...more });
    t.defer(() => server.stop());
    return server;
  };
}

/** A client that keeps its connections open, as browsers and proxies do. */
function client(t: TestContext): (url: string, cookie?: string) => Promise<Answer> {
  const agent = new http.Agent({ keepAlive: true });
  t.defer(() => agent.destroy());
  return (url, cookie) =>
    new Promise((resolve, reject) => {
      const headers = cookie === undefined ? {} : { cookie };
      const request = http.get(url, { agent, headers }, (response) => {
        let body = "";
        response.setEncoding("utf8").on("data", (text: string) => body += text);
        response.on("error", reject);
        response.on("end", () => {
          const [line] = response.headers["set-cookie"] ?? [];
          resolve({ body, cookie: line?.split(";")[0] });
        });
      });
      request.on("error", reject);
    });
}

interface Answer {
  readonly body: string;
  readonly cookie: string | undefined;
}

/** Waits until a server has printed something. */
async function printed(server: ServerProcess, text: string): Promise<void> {
  while (!server.output().includes(text)) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test("[SV1] serve() listens where it says, and close() ends it though connections are kept", async (t) => {
  const fetch = (request: Request) => new Response(request.url);
  const server = await serve({ fetch, port: 0, withinMs: 3_600_000 });
  const get = client(t);
  assertEquals(server.url, `http://127.0.0.1:${server.port}`);
  assertEquals((await get(`${server.url}/a`)).body, `${server.url}/a`);
  // As browsers open them ahead of need.
  const silent = connect(server.port, "127.0.0.1");
  t.defer(() => void silent.destroy());
  await new Promise((resolve) => silent.once("connect", resolve));
  const [first, second] = [server.close(), server.close()];
  assertEquals(await first, { complete: true, unfinished: 0, cut: 0 });
  assertEquals(await second, await first);
  await assertRejects(() => get(server.url));
});

test("[SV2] wrong options and a port that is taken are told before anything listens", async (t) => {
  const fetch = () => new Response("hello");
  await assertRejects(() => serve({ fetch, port: 65_536 }), /port is 65536/);
  await assertRejects(() => serve({ fetch, port: 0, withinMs: -1 }), /withinMs is -1/);
  const wrong = { port: 0 } as Parameters<typeof serve>[0];
  await assertRejects(() => serve(wrong), (error) => error instanceof TypeError);
  const server = await serve({ fetch, port: 0 });
  t.defer(async () => void await server.close());
  const taken = await assertRejects(() => serve({ fetch, port: server.port }));
  assertEquals(
    [taken.message, (taken as { code?: string }).code],
    [
      `Cannot listen on port ${server.port} of "127.0.0.1": somebody listens there already (EADDRINUSE)`,
      "EADDRINUSE",
    ],
  );
});

test("[SV3] on a signal requests under way finish, what they store is kept, and the code is 0", async (t) => {
  const start = fixture(t);
  const get = client(t);
  const server = await start();
  const { cookie } = await get(`${server.url}/note`);
  const answers = Promise.all([
    get(`${server.url}/slow`, cookie),
    get(`${server.url}/stream`),
  ]);
  await printed(server, "slow began");
  await printed(server, "stream began");
  server.kill("SIGTERM");
  await refusing(server);
  server.write("go");
  const [slow, stream] = await answers;
  assertEquals(JSON.parse(slow.body), ["quick", "slow"]);
  assertEquals(stream.body, "first,last");
  assertEquals(await server.exited, { code: 0, signal: null }, server.output());
  const again = await start();
  assertEquals(JSON.parse((await get(`${again.url}/note`, cookie)).body), [
    "quick",
    "slow",
    "quick",
  ]);
});

test("[SV3] a request whose body is still arriving is read to its end and answered", async (t) => {
  let began = (): void => {};
  const reading = new Promise<void>((resolve) => began = resolve);
  const server = await serve({
    fetch: async (request) => {
      const text = request.text();
      began();
      return new Response(`read: ${await text}`);
    },
    port: 0,
  });
  const socket = connect(server.port, "127.0.0.1");
  t.defer(() => void socket.destroy());
  let answer = "";
  const ended = new Promise((resolve) => socket.once("close", resolve));
  socket.setEncoding("utf8").on("data", (text: string) => answer += text);
  socket.write("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nhello");
  await reading;
  const closing = server.close();
  // Long enough for whatever closing sets going in the server.
  await new Promise((resolve) => setTimeout(resolve, 100));
  socket.write("world");
  assertEquals(await closing, { complete: true, unfinished: 0, cut: 0 });
  await ended;
  assert(answer.includes("read: helloworld"), answer);
});

test("[SV4] a request that does not end is cut at the limit", async (t) => {
  const server = await fixture(t)({ WITHIN_MS: "250" });
  const never = cutOff(client(t)(`${server.url}/never`));
  await printed(server, "never began");
  server.kill("SIGINT");
  await never;
  assertEquals(await server.exited, { code: 0, signal: null }, server.output());
});

test("[SV5] a second signal cuts the requests under way", async (t) => {
  const server = await fixture(t)({ WITHIN_MS: "3600000" });
  const never = cutOff(client(t)(`${server.url}/never`));
  await printed(server, "never began");
  server.kill("SIGTERM");
  await refusing(server);
  server.kill("SIGTERM");
  await never;
  assertEquals(await server.exited, { code: 0, signal: null }, server.output());
});

/** Waits until a request has failed, or got an empty answer: how differs between the runtimes. */
async function cutOff(answer: Promise<Answer>): Promise<void> {
  assertEquals(await answer.then(({ body }) => body, () => ""), "");
}

/** Waits until a server accepts nothing more. */
async function refusing({ url }: ServerProcess): Promise<void> {
  const accepted = async (): Promise<boolean> => {
    const response = await fetch(url, { headers: { connection: "close" } });
    await response.body?.cancel();
    return true;
  };
  while (await accepted().catch(() => false));
}

test("[SV6] a third signal, and data that could not be made durable, end with code 1", async () => {
  const codes: number[] = [];
  let signal = () => {};
  const listener = { port: 1, drain: () => Promise.resolve(), cut() {}, pending: () => 0 };
  const control = {
    onSignal: (_: string, callback: () => void) => {
      signal = callback;
      return () => {};
    },
    exit: (code: number) => void codes.push(code),
  };
  const settings = (close: () => Promise<{ complete: boolean; unfinished: number }>) =>
    serveSettings({
      fetch: () => new Response(),
      port: 1,
      signals: ["SIGTERM"],
      holdfast: { close },
    });
  const clock = createVirtualClock();
  serverOf(listener, settings(() => new Promise(() => {})), control, clock);
  signal();
  signal();
  assertEquals(codes, []);
  signal();
  assertEquals(codes, [1]);
  const incomplete = () => Promise.resolve({ complete: false, unfinished: 2 });
  const server = serverOf(listener, settings(incomplete), control, clock);
  signal();
  assertEquals(await server.close(), { complete: false, unfinished: 2, cut: 0 });
  await clock.advance(0);
  assertEquals(codes, [1, 1]);
});

test("[SV7] the last fifth of the time is kept for storage, and requests left are cut first", async () => {
  const clock = createVirtualClock();
  const steps: string[] = [];
  const listener = {
    port: 1,
    drain: () => new Promise(() => {}),
    cut: () => void steps.push(`cut at ${clock.monotonic()}`),
    pending: () => 3,
  };
  const holdfast = {
    close({ withinMs = 0 } = {}) {
      steps.push(`close within ${withinMs}`);
      return Promise.resolve({ complete: true, unfinished: 0 });
    },
  };
  const settings = serveSettings({ fetch: () => new Response(), port: 1, holdfast, signals: [] });
  const closing = serverOf(listener, settings, { onSignal: () => () => {}, exit() {} }, clock)
    .close();
  await clock.advance(7_999);
  assertEquals(steps, []);
  await clock.advance(1);
  assertEquals(await closing, { complete: true, unfinished: 0, cut: 3 });
  assertEquals(steps, ["cut at 8000", "close within 2000"]);
  assert(clock.pending === 0, "no timer is left");
});

/** A server on virtual time, of which only the end is of interest. */
function closingAt(
  clock: VirtualClock,
  options: Partial<ServeOptions>,
): { server: Server; signal: () => void; codes: number[] } {
  const codes: number[] = [];
  let signal = () => {};
  const listener = { port: 1, drain: () => Promise.resolve(), cut() {}, pending: () => 0 };
  const control = {
    onSignal: (_: string, callback: () => void) => {
      signal = callback;
      return () => {};
    },
    exit: (code: number) => void codes.push(code),
  };
  const settings = serveSettings({
    fetch: () => new Response(),
    port: 1,
    signals: ["SIGTERM"],
    ...options,
  });
  return { server: serverOf(listener, settings, control, clock), signal: () => signal(), codes };
}

test("[SV19] live views are hurried after three fifths of the time, and left behind after four", async () => {
  const clock = createVirtualClock();
  const steps: string[] = [];
  const live: Drainable = {
    drain({ hurry }) {
      hurry.addEventListener("abort", () => void steps.push(`hurried at ${clock.monotonic()}`));
      return new Promise(() => {});
    },
  };
  const holdfast: ServeOptions["holdfast"] = {
    close({ withinMs = 0 } = {}) {
      steps.push(`close at ${clock.monotonic()} within ${withinMs}`);
      return Promise.resolve({ complete: true, unfinished: 0 });
    },
  };
  const { signal, codes } = closingAt(clock, { live, holdfast });
  signal();
  await clock.advance(10_000);
  assertEquals(steps, ["hurried at 6000", "close at 8000 within 2000"]);
  assertEquals(codes, [0]);
  assertEquals(clock.pending, 0);
});

test("[SV5] [SV6] a second signal hurries live views, and views that could not be stored end with code 1", async () => {
  const clock = createVirtualClock();
  const live: Drainable = {
    drain: ({ hurry }) =>
      new Promise((resolve) => hurry.addEventListener("abort", () => resolve({ failed: 2 }))),
  };
  const { server, signal, codes } = closingAt(clock, { live });
  signal();
  await clock.advance(1);
  assertEquals(codes, []);
  signal();
  await clock.advance(0);
  assertEquals(await server.close(), {
    complete: false,
    unfinished: 0,
    cut: 0,
    live: { failed: 2 },
  });
  await clock.advance(0);
  assertEquals(codes, [1]);
  assertEquals(clock.monotonic(), 1);
  const broken = closingAt(clock, { live: { drain: () => Promise.reject(new Error("broken")) } });
  assertEquals((await broken.server.close()).complete, false);
});
