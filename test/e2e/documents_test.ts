import { connectDocument } from "../../adapters/document-client/mod.ts";
import type { ConnectedDocument, DocumentOptions } from "../../adapters/document-client/mod.ts";
import type { DocumentSocketOptions } from "../../adapters/hono/mod.ts";
import { openWebSocket, type Transport } from "../../src/client/dom/transport.ts";
import { memoryStorage } from "../../adapters/memory/mod.ts";
import type { Server } from "../../adapters/web/serving.ts";
import { childrenOf, type Storage, type Tree, treeDocument } from "../../mod.ts";
import type { TreeOp } from "../../mod.ts";
import { assert, assertEquals, test, type TestContext } from "../harness/mod.ts";
import { serveDocuments } from "./document_place.ts";

const Board = treeDocument({ name: "board", vsn: 1 });

const serving = (
  t: TestContext,
  route: Partial<DocumentSocketOptions> = {},
  storage: Storage = memoryStorage(),
  port = 0,
): Promise<Server> => serveDocuments(t, Board, "/boards/:id", { route, storage, port });

type Client = ConnectedDocument<Tree, TreeOp>;

function client(
  t: TestContext,
  { url }: Pick<Server, "url">,
  actor: string,
  more: Partial<DocumentOptions<Tree, TreeOp>> = {},
): Client {
  const connected = connectDocument({
    definition: Board,
    url: `${url.replace("http", "ws")}/boards/team?actor=${actor}`,
    timing: { firstRetryMs: 5, retryMs: [10, 20, 50] },
    ...more,
  });
  t.defer(() => connected.close());
  return connected;
}

/** Waits until a document is as it should be. */
async function until(connected: Client, is: () => boolean): Promise<void> {
  while (!is()) {
    await new Promise<void>((resolve) => {
      const end = connected.subscribe(() => {
        end();
        resolve();
      });
    });
  }
}

const titles = (connected: Client): unknown[] =>
  childrenOf(connected.getSnapshot().state, null).map(({ attrs }) => attrs["title"]);

const card = (id: string, title: string): TreeOp => ({
  op: "put",
  nodes: [{ id, type: "card", attrs: { title }, parent: null }],
});

test("[DC1] what one does shows at once, and then to the other, over real sockets", async (t) => {
  const server = await serving(t);
  const [ada, bob] = [client(t, server, "ada"), client(t, server, "bob")];
  const putting = ada.mutate(card("a", "Kelp"));
  assertEquals(titles(ada), ["Kelp"]);
  assertEquals(ada.getSnapshot().pending, 1);
  assertEquals((await putting).status, "rectified");
  await until(bob, () => titles(bob).length === 1);
  await bob.mutate({ op: "update", id: "a", set: { title: "Rope" } });
  await until(ada, () => titles(ada)[0] === "Rope");
  assertEquals((await bob.undo()).status, "commit");
  await until(ada, () => titles(ada)[0] === "Kelp");
  assertEquals((await bob.redo()).status, "commit");
  await until(ada, () => titles(ada)[0] === "Rope");
  assertEquals(ada.getSnapshot().pending, 0);
  assertEquals(ada.getSnapshot(), ada.getSnapshot());
});

test("[DC2] what is rejected or discarded vanishes again, and the caller hears why", async (t) => {
  const server = await serving(t);
  const ada = client(t, server, "ada");
  await ada.mutate(card("a", "Kelp"));
  const moving = await ada.mutate({ op: "move", id: "a", parent: "a" });
  assertEquals(moving.status, "rejected");
  const guest = client(t, server, "guest");
  const putting = guest.mutate(card("b", "Tar"));
  assert(titles(guest).includes("Tar"));
  assertEquals((await putting).status, "rejected");
  assertEquals(titles(guest), ["Kelp"]);
});

test("[DC3] what is done while the server is gone is kept, sent once, and kept over a reload", async (t) => {
  const storage = memoryStorage();
  const first = await serving(t, {}, storage);
  let kept: string | null = null;
  const keep = { load: () => kept, save: (text: string | null) => void (kept = text) };
  const ada = client(t, first, "ada", { keep });
  await ada.mutate(card("a", "Kelp"));
  await first.close();
  await until(ada, () => ada.getSnapshot().status === "connecting");
  const offline = ada.mutate(card("b", "Rope"));
  offline.catch(() => {});
  assertEquals(titles(ada), ["Kelp", "Rope"]);
  assert(kept !== null, "nothing was kept");
  // The page is loaded again before the server is back.
  ada.close();
  const again = client(t, first, "ada", { keep });
  assertEquals(again.getSnapshot().pending, 1);
  again.mutate(card("c", "Tar")).catch(() => {});
  const second = await serving(t, {}, storage, first.port);
  await until(again, () => again.getSnapshot().status === "connected" && kept === null);
  assertEquals(titles(again), ["Kelp", "Rope", "Tar"]);
  const bob = client(t, second, "bob");
  await until(bob, () => titles(bob).length === 3);
});

test("[DC16] five hundred things that were done offline arrive at the pace of the server, over one connection", async (t) => {
  const server = await serving(t, { limits: { burst: 60, framesPerSecond: 2000 } });
  const pending = Array.from({ length: 500 }, (_, n) => {
    const op = card(`c${n}`, `${n}`);
    return { seq: n + 1, kind: "op", op };
  });
  let text: string | null = JSON.stringify({
    client: "0123456789abcdef",
    vsn: 1,
    next: 501,
    pending,
  });
  let connections = 0;
  const ada = client(t, server, "ada", {
    keep: { load: () => text, save: (kept) => text = kept },
    open: (url, events) => {
      connections++;
      return openWebSocket(url, events);
    },
  });
  assertEquals(titles(ada).length, 500);
  await until(ada, () => ada.getSnapshot().pending === 0);
  assertEquals([connections, text, ada.getSnapshot().status], [1, null, "connected"]);
  const bob = client(t, server, "bob");
  await until(bob, () => titles(bob).length === 500);
});

test("[DC4] presence comes, changes and goes with its connection", async (t) => {
  const server = await serving(t);
  const [ada, bob] = [client(t, server, "ada"), client(t, server, "bob")];
  ada.here({ card: "a" });
  const others = () => Object.values(bob.getSnapshot().presence);
  await until(bob, () => others().length === 1);
  assertEquals(others()[0]?.actor, "ada");
  assertEquals(others()[0]?.data, { card: "a" });
  ada.close();
  await until(bob, () => others().length === 0);
});

test("[DC5] a document of a megabyte arrives whole, in parts", async (t) => {
  const server = await serving(t);
  const ada = client(t, server, "ada");
  for (let index = 0; index < 40; index++) {
    await ada.mutate(card(`c${index}`, `${index}`.padEnd(30_000, "x")));
  }
  const bob = client(t, server, "bob");
  await until(bob, () => titles(bob).length === 40);
  assertEquals(bob.getSnapshot().state, ada.getSnapshot().state);
});

test("[DC6] who may not join, or comes from elsewhere, is refused, and is told when it is over", async (t) => {
  const server = await serving(t, { allowMissingOrigin: false });
  const get = async (headers: Record<string, string>, path = "/boards/team?actor=ada") =>
    (await fetch(server.url + path, { headers })).status;
  assertEquals(await get({}), 403);
  assertEquals(await get({ origin: "https://evil.example" }), 403);
  assertEquals(await get({ origin: "null" }), 403);
  assertEquals(await get({ origin: server.url }, "/boards/team"), 403);
  assert(await get({ origin: server.url }) !== 403);

  const other = await serving(t, { access: () => ({ actor: "ada" }), limits: { burst: 5 } });
  let transport: Transport | undefined;
  const flood = client(t, other, "ada", {
    open: (url, events) => transport = openWebSocket(url, events),
  });
  await until(flood, () => flood.getSnapshot().status === "connected");
  for (let n = 0; n < 20; n++) transport?.send(JSON.stringify({ t: "here", data: n }));
  await until(flood, () => flood.getSnapshot().status === "connecting");
});

test("[DC8] a page connects from the host that was asked, as a trusted proxy names it, or an origin beside it", async (t) => {
  const origins = ["https://app.example", "null"];
  const server = await serving(t, { origins });
  const trusting = await serving(t, { trustForwardedHost: true });
  const ask = async (where: Server, headers: Record<string, string>) =>
    (await fetch(`${where.url}/boards/team?actor=ada`, { headers })).status;
  // What passes here fails later, for it asks for no socket.
  const passes = await ask(server, { origin: server.url });
  assert(passes !== 403, "its own host was refused");
  assertEquals(await ask(server, { origin: "https://app.example" }), passes);
  assertEquals(await ask(server, { origin: "https://app.example.evil.example" }), 403);
  assertEquals(await ask(server, { origin: `${server.url}/path` }), 403);
  assertEquals(await ask(server, { origin: "null" }), 403);

  const forwarded = { "x-forwarded-host": "boards.example" };
  assertEquals(await ask(server, { ...forwarded, origin: "https://boards.example" }), 403);
  assertEquals(await ask(trusting, { ...forwarded, origin: "https://boards.example" }), passes);
  // Cookies are for HTTPS only here: who changes a page on its way over HTTP is none of its users.
  assertEquals(await ask(trusting, { ...forwarded, origin: "http://boards.example" }), 403);
});
