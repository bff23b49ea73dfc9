import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { wsconnect } from "@nats-io/nats-core";
import { memoryStorage } from "../../adapters/memory/mod.ts";
import { openNats } from "../../adapters/nats/connect.ts";
import { natsCluster } from "../../adapters/nats/mod.ts";
import { clusterSuite } from "../../adapters/testing/mod.ts";
import { createHoldfast, type Holdfast } from "../../adapters/web/holdfast.ts";
import { internalsOf } from "../../adapters/web/internals.ts";
import { defineObject } from "../../src/object/definition.ts";
import type { Cluster } from "../../src/ports/cluster.ts";
import { defineStash } from "../../src/stash/definition.ts";
import * as t from "../harness/mod.ts";
import { open } from "../object_model/world.ts";
import { browser } from "../stash/world.ts";
import { noNats, startNats } from "./fixtures/server.ts";

const { assertEquals, assertThrows } = t;

/** Registers a test that needs the server. */
const test: typeof t.test = noNats === undefined ? t.test : (name) => t.skip(name, noNats ?? "");

if (noNats === undefined) {
  clusterSuite(t, "nats", async () => {
    const server = await startNats();
    const another = () => natsCluster({ servers: server.url });
    return { cluster: another(), another, dispose: () => server.dispose() };
  });
}

function counter() {
  return defineObject({
    name: "counter",
    vsn: 1,
    state: () => ({ by: [] as string[] }),
    handlers: {
      add({ state }, who: string) {
        state.by.push(who);
        return state.by.length;
      },
      all: { readOnly: true, run: ({ state }) => state.by },
    },
  });
}

interface Node {
  readonly holdfast: Holdfast;
  readonly Counter: ReturnType<typeof counter>;
  readonly events: string[];
}

const storage = () => memoryStorage();

function node(
  shared: ReturnType<typeof storage>,
  url: string,
  cluster: Cluster = natsCluster({ servers: url }),
): Node {
  const Counter = counter();
  const events: string[] = [];
  const holdfast = createHoldfast({
    storage: open(shared),
    secrets: ["3l5ZQ0sH1vXw8yTtR6pKc2NfJb7MdGaU-secret-a"],
    objects: [Counter],
    telemetry: ({ name }) => void events.push(name),
    cluster,
    clusterTimes: { beatEveryMs: 50, lapseMs: 300 },
  });
  return { holdfast, Counter, events };
}

/** Waits for what another process has to do; nothing here tells when it is done. */
async function until(what: string, is: () => boolean, withinMs = 15_000): Promise<void> {
  const startedAt = performance.now();
  while (!is()) {
    if (performance.now() - startedAt > withinMs) throw new Error(`Not within time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const together = (nodes: readonly Node[]) => () =>
  nodes.every(({ holdfast }) => holdfast.nodes?.members.length === nodes.length);

test("[NT2] nodes work before there is a server, and find each other when there is one", async (c) => {
  const server = await startNats();
  c.defer(() => server.dispose());
  await server.stop();
  const shared = storage();
  const nodes = [node(shared, server.url), node(shared, server.url)];
  for (const { holdfast } of nodes) c.defer(async () => void await holdfast.close());
  for (const [i, { holdfast, Counter }] of nodes.entries()) {
    assertEquals(holdfast.nodes?.linked, false);
    assertEquals(await holdfast.object(Counter, "a").add(`${i}`), i + 1);
  }
  await server.start();
  await until("both are linked and know each other", together(nodes));
});

test("[NT6] a node behind a web socket, as at the edge, is one like the others", async (c) => {
  const server = await startNats();
  c.defer(() => server.dispose());
  const shared = storage();
  const connect = () => wsconnect({ servers: server.socketUrl });
  const nodes = [
    node(shared, server.url),
    node(shared, server.url, natsCluster({ connect })),
  ];
  for (const { holdfast } of nodes) c.defer(async () => void await holdfast.close());
  await until("both are linked and know each other", together(nodes));
  for (let i = 0; i < 20; i++) {
    for (const { holdfast, Counter } of nodes) await holdfast.object(Counter, `${i}`).add("x");
  }
  const activated = nodes.map(({ events }) =>
    events.filter((name) => name === "holdfast.object.activate").length
  );
  assertEquals(activated[0]! + activated[1]!, 20);
  t.assert(activated.every((count) => count > 0), `each owns some: ${activated}`);
});

/** A key and a certificate of our own for this machine: the client takes an address for "localhost". */
function certificate(folder: string): { readonly key: string; readonly cert: string } {
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const args =
    "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=here " +
    `-addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout ${key} -out ${cert}`;
  const { status, stderr } = spawnSync("openssl", args.split(" "), { encoding: "utf8" });
  assertEquals([status, status === 0 ? "" : stderr], [0, ""]);
  return { key, cert };
}

test("[NT7] with TLS, an account and the least permissions nodes share, and a wrong password is told", async (c) => {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-tls-"));
  c.defer(() => rmSync(folder, { recursive: true, force: true }));
  const { key, cert } = certificate(folder);
  const subjects = '["acme.orders.>", "_INBOX.>"]';
  const server = await startNats(
    undefined,
    `tls { cert_file: "${cert}", key_file: "${key}" }
    accounts { A { users: [{ user: shop, password: right,
      permissions: { publish: ${subjects}, subscribe: ${subjects} } }] } }`,
  );
  c.defer(() => server.dispose());
  const at = { servers: server.url, name: "orders", subjectPrefix: "acme" };
  const signedIn = (pass: string) => ({ user: "shop", pass, tls: { caFile: cert } });
  const shared = storage();
  const nodes = [0, 1].map(() =>
    node(shared, server.url, natsCluster({ ...at, clientOptions: signedIn("right") }))
  );
  const errors: unknown[] = [];
  const wrong = natsCluster({
    ...at,
    clientOptions: signedIn("wrong"),
    onError: (error) => errors.push(error),
  });
  const stranger = node(shared, server.url, wrong);
  for (const { holdfast } of [...nodes, stranger]) {
    c.defer(async () => void await holdfast.close());
  }
  await until("both are linked and know each other", together(nodes));
  for (const [i, { holdfast, Counter }] of nodes.entries()) {
    assertEquals(await holdfast.object(Counter, "a").add(`${i}`), i + 1);
  }
  await until("the wrong password is told", () => errors.length > 0);
  assertEquals(stranger.holdfast.nodes?.linked, false);
  t.assert(/authorization/i.test(String(errors[0])), String(errors[0]));
});

test("[NT3] a server that is killed and started again under load costs nothing that was acknowledged", async (c) => {
  const server = await startNats();
  c.defer(() => server.dispose());
  const shared = storage();
  const nodes = [node(shared, server.url), node(shared, server.url), node(shared, server.url)];
  for (const { holdfast } of nodes) c.defer(async () => void await holdfast.close());
  await until("all know each other", together(nodes));
  const acknowledged: string[] = [];
  let unknown = 0;
  let going = true;
  const work = nodes.map(async ({ holdfast, Counter }, n) => {
    for (let i = 0; going; i++) {
      const who = `${n}.${i}`;
      try {
        await holdfast.object(Counter, `id-${i % 5}`).add(who);
        acknowledged.push(who);
      } catch (error) {
        const { code, outcome } = error as { code?: string; outcome?: string };
        assertEquals([code, outcome], ["ERR_STORAGE_UNAVAILABLE", "unknown"]);
        unknown++;
      }
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  });
  await until("some calls are done", () => acknowledged.length > 100);
  await server.stop();
  await until("all have noticed", () => nodes.every(({ holdfast }) => !holdfast.nodes?.linked));
  const during = acknowledged.length;
  await until("calls go on without a server", () => acknowledged.length > during + 100);
  await server.start();
  await until("all know each other again", together(nodes));
  const after = acknowledged.length;
  await until("calls go on with it", () => acknowledged.length > after + 100);
  going = false;
  await Promise.all(work);
  await checkAll(nodes, acknowledged);
  // Each node had one under way when the server was killed; on a busy machine it may be a few more.
  t.assert(
    unknown <= nodes.length || unknown < acknowledged.length / 20,
    `${unknown} calls are unknown, beside ${acknowledged.length} that were acknowledged`,
  );
});

test("[NT5] nodes that are closed one after the other under load fail no call", async (c) => {
  const server = await startNats();
  c.defer(() => server.dispose());
  const shared = storage();
  const [a, b, ...others] = Array.from({ length: 8 }, () => node(shared, server.url));
  if (a === undefined || b === undefined) throw new Error("No nodes");
  for (const { holdfast } of [a, b]) c.defer(async () => void await holdfast.close());
  const alive = [a, b, ...others];
  await until("all know each other", together(alive));
  const acknowledged: string[] = [];
  const failed: unknown[] = [];
  let going = true;
  const work = Array.from({ length: 8 }, async (_, n) => {
    const { holdfast, Counter } = n % 2 === 0 ? a : b;
    for (let i = 0; going; i++) {
      const who = `${n}.${i}`;
      await holdfast.object(Counter, `id-${(n + i) % 5}`).add(who).then(
        () => acknowledged.push(who),
        (error) => failed.push(String(error)),
      );
    }
  });
  for (const { holdfast } of others) {
    const before = acknowledged.length;
    await until("calls go on", () => acknowledged.length > before + 20);
    assertEquals((await holdfast.close()).complete, true);
    alive.pop();
  }
  await until("only the first two are left", together([a, b]));
  going = false;
  await Promise.all(work);
  assertEquals(failed, []);
  await checkAll([a, b], acknowledged);
});

test("[CU15] a server carries what is stored of a session to who watches it on another node", async (c) => {
  const server = await startNats();
  c.defer(() => server.dispose());
  const shared = storage();
  const [a, b] = [node(shared, server.url), node(shared, server.url)];
  for (const { holdfast } of [a, b]) c.defer(async () => void await holdfast.close());
  await until("both know each other", together([a, b]));
  const list = (name: string) =>
    defineStash({ name, vsn: 1, stored: ["items"], state: () => ({ items: [] as string[] }) });
  const [Cart, Wishes] = [list("cart"), list("wishes")];
  const user = browser();
  const put = (definition: typeof Cart, item: string): Promise<void> =>
    user.visit(a.holdfast, async (session) => {
      const stash = await session.stash(definition);
      stash.state.items.push(item);
      await stash.stash();
    });
  await put(Cart, "kelp");
  const token = user.cookie?.split("=")[1] ?? "";
  const live = await internalsOf(b.holdfast, "a test").sessions.openLive([token], 0, {});
  const heard: (string | undefined)[] = [];
  live?.watch({ ended: () => {}, changed: (stash) => heard.push(stash) });
  await put(Wishes, "dulse");
  // That the cart was stored may arrive as late.
  await until("the other node hears of it", () => heard.includes("wishes"));
  const use = {
    page: "p",
    begins: false,
    mounts: 0,
    skip: "nothing",
    blind: false,
    by: 0,
  } as const;
  assertEquals((await live?.stash(Wishes, use))?.state.items, ["dulse"]);
});

async function checkAll(nodes: readonly Node[], acknowledged: readonly string[]): Promise<void> {
  const [first] = nodes as [Node];
  const stored: string[] = [];
  for (let id = 0; id < 5; id++) {
    const object = first.holdfast.object(first.Counter, `id-${id}`, { fresh: true });
    stored.push(...await object.all());
  }
  const found = new Set(stored);
  assertEquals(found.size, stored.length, "something was done twice");
  assertEquals(acknowledged.filter((who) => !found.has(who)), [], "something was lost");
}

t.test("[NT1] wrong options are refused", () => {
  const servers = "nats://127.0.0.1:1";
  assertThrows(() => natsCluster({}), (error) => error instanceof TypeError);
  const both = { servers, connect: () => Promise.reject(new Error("not asked")) };
  assertThrows(() => natsCluster(both), (error) => error instanceof TypeError);
  for (const name of ["", "a b", "a.b", "a*"]) {
    assertThrows(() => natsCluster({ servers, name }), (error) => error instanceof TypeError);
  }
  assertThrows(
    () => natsCluster({ servers, subjectPrefix: "a..b" }),
    (error) => error instanceof TypeError,
  );
});

t.test("[NT1] a missing package is named with what to do", async () => {
  const load = () => Promise.reject(new Error("Cannot find module"));
  await t.assertRejects(
    () => openNats({ servers: "nats://127.0.0.1:1" }, load),
    (error) => error.message.includes("npm install @nats-io/transport-node"),
  );
});
