import { documentSocket, session, type SessionEnv } from "../../adapters/hono/mod.ts";
import { memoryStorage } from "../../adapters/memory/mod.ts";
import type { SocketEvents, SocketHandle, UpgradeWebSocket } from "../../adapters/web/sockets.ts";
import { createHoldfast, type Holdfast, type Storage, type TelemetryEvent } from "../../mod.ts";
import { Hono } from "hono";
import { listDocument } from "../document/list.ts";
import { assert, assertEquals, test, type TestContext } from "../harness/mod.ts";
import { open } from "../object_model/world.ts";
import { Cart, cookieOf } from "./app.ts";

const Items = listDocument();

/** A server whose documents belong to those who have something in their cart, and its sockets. */
function place(t: TestContext, storage: Storage, secrets: readonly string[]) {
  const holdfast = createHoldfast({
    storage: open(storage),
    secrets: [...secrets],
    sweepEveryMs: Infinity,
  });
  t.defer(async () => void await holdfast.close({ withinMs: 1000 }));
  const opened: SocketEvents[] = [];
  // The runtime's part: a handshake that always comes to be.
  const upgradeWebSocket: UpgradeWebSocket = (create) => async (c) => {
    opened.push(await create(c));
    return new Response("upgraded");
  };
  const app = new Hono<SessionEnv>();
  app.use(session(holdfast));
  app.post("/cart", async (c) => {
    const cart = await c.var.session.stash(Cart);
    cart.state.items.push("kelp");
    await cart.stash();
    return c.text("ok");
  });
  app.post("/logout", async (c) => {
    await c.var.session.destroy();
    return c.text("ok");
  });
  const handler = documentSocket(holdfast, Items, {
    upgradeWebSocket,
    access: async (c) => {
      const { state } = await c.get("session")!.stash(Cart);
      return state.items.length === 0 ? undefined : { actor: "ada" };
    },
    allowMissingOrigin: true,
  });
  // What the route needs of a context, Hono's has; its type says more than can be told here.
  app.get("/items/:id", handler as never);
  return { app, holdfast, opened };
}

interface Frame {
  readonly t: string;
  readonly seq?: number;
  readonly answer?: { readonly status: string };
}

/** A client of a document on one of its servers. */
async function connect(
  { app, opened }: ReturnType<typeof place>,
  cookie: string,
  client = "0123456789abcdef",
) {
  const response = await app.request("/items/a", { headers: { cookie } });
  assertEquals(response.status, 200);
  const events = opened.pop();
  assert(events !== undefined, "it was not upgraded");
  const received: Frame[] = [];
  const closed: number[] = [];
  let arrived = () => {};
  const socket: SocketHandle = {
    readyState: 1,
    send: (text) => {
      received.push(JSON.parse(text));
      arrived();
    },
    close: (code = 1000) => {
      closed.push(code);
      arrived();
    },
  };
  events.onOpen?.({}, socket);
  const say = (frame: object) => events.onMessage?.({ data: JSON.stringify(frame) }, socket);
  const until = async (is: () => boolean) => {
    while (!is()) await new Promise<void>((resolve) => arrived = resolve);
  };
  say({ t: "join", v: 1, client });
  await until(() => received.some(({ t }) => t === "joined"));
  const lose = () => events.onClose?.({ code: 1006, reason: "" }, socket);
  return { say, until, received, closed, lose };
}

const [older, newer] = [
  "a secret that was used until today",
  "a secret that is used from today on",
];

test("[DO6] what is sent again to a node with a newer secret is done once", async (t) => {
  const storage = memoryStorage();
  const [one, two] = [place(t, storage, [older]), place(t, storage, [newer, older])];
  const cookie = cookieOf(await one.app.request("/cart", { method: "POST" }));
  const first = await connect(one, cookie);
  first.say({ t: "op", seq: 1, op: { add: "rope" } });
  await first.until(() => first.received.some(({ t }) => t === "answer"));
  first.lose();
  await itemsOf(one.holdfast, { remove: "rope" });
  const second = await connect(two, cookie);
  second.say({ t: "op", seq: 1, op: { add: "rope" } });
  await second.until(() => second.received.some(({ t }) => t === "answer"));
  assertEquals(second.received.find(({ t }) => t === "answer")?.answer?.status, "commit");
  assertEquals(await itemsOf(two.holdfast), []);
});

test("[LW15] a page of another origin that asks for a document is told to telemetry", async (t) => {
  const { app, holdfast, opened } = place(t, memoryStorage(), [newer]);
  const told: TelemetryEvent[] = [];
  holdfast.subscribe("holdfast.origin.*", (event) => told.push(event));
  const ask = async (origin: string) =>
    (await app.request("/items/a", { headers: { origin, host: "app.example:8443" } })).status;
  assertEquals(await ask("https://app.example"), 403);
  // Of this one it is the rights that are missing.
  assertEquals(await ask("https://app.example:8443"), 403);
  assertEquals(opened, []);
  const name = "holdfast.origin.refuse" as const;
  const host = "app.example:8443";
  assertEquals(told, [{ name, what: "document", origin: "https://app.example", host }]);
});

test("[DC14] a document's socket is closed when the session it got its rights from is over", async (t) => {
  const there = place(t, memoryStorage(), [newer]);
  const cookie = cookieOf(await there.app.request("/cart", { method: "POST" }));
  const other = cookieOf(await there.app.request("/cart", { method: "POST" }));
  const [mine, another] = [
    await connect(there, cookie),
    await connect(there, other, "f".repeat(16)),
  ];
  await there.app.request("/logout", { method: "POST", headers: { cookie } });
  await mine.until(() => mine.closed.length > 0);
  assertEquals([mine.closed, another.closed], [[4401], []]);
  mine.say({ t: "op", seq: 1, op: { add: "rope" } });
  another.say({ t: "op", seq: 1, op: { add: "tar" } });
  await another.until(() => another.received.some(({ t }) => t === "answer"));
  assertEquals(await itemsOf(there.holdfast), ["tar"]);
  const again = await there.app.request("/items/a", { headers: { cookie } });
  assertEquals(again.status, 403);
});

/** What is in the document, after an operation. */
async function itemsOf(holdfast: Holdfast, op?: { remove: string }): Promise<readonly string[]> {
  const document = holdfast.document(Items, "a");
  if (op !== undefined) await document.mutate(op);
  return (await document.state()).items;
}
