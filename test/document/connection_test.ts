import { Connected } from "../../src/client/dom/connected_document.ts";
import type { TransportEvents } from "../../src/client/dom/transport.ts";
import { defaultConnectionLimits, DocumentConnection } from "../../src/document/connection.ts";
import type { Timing } from "../../src/client/timing.ts";
import type { DocumentDefinition } from "../../src/document/model.ts";
import { assert, assertEquals, test, type TestContext } from "../harness/mod.ts";
import { second, type World, world } from "../object_model/world.ts";
import { listDocument } from "./list.ts";

interface Op {
  readonly seq: number;
}

test("[DC11] a client that says nothing for three heartbeats is gone, one that does is not", async () => {
  const w = world();
  const document = w.node().document(listDocument(), "a");
  const closed: number[] = [];
  const sent: string[] = [];
  const connection = new DocumentConnection({
    clock: w.clock,
    // A list is JSON, and so are its operations.
    document: document as never,
    vsn: 1,
    actor: "ada",
    readOnly: false,
    active: () => {},
    nameOf: (client) => client,
    send: (text) => void sent.push(text),
    buffered: () => 0,
    close: (code) => void closed.push(code),
  });
  const say = (frame: object) => connection.received(JSON.stringify(frame));
  say({ t: "join", v: 1, client: "0123456789abcdef" });
  await w.clock.advance(1 * second);
  assert(sent[0]?.includes('"joined"'), "it has not joined");
  say({ t: "here", data: 1 });
  for (let n = 1; n <= 8; n++) {
    await w.clock.advance(25 * second);
    say({ t: "ping", n });
  }
  assertEquals(closed, []);
  assertEquals((await w.finish(document.info())).subscribers, 1);
  await w.clock.advance(74 * second);
  assertEquals(closed, []);
  await w.clock.advance(2 * second);
  assertEquals(closed, [4408]);
  assertEquals((await w.finish(document.info())).subscribers, 0);
});

test("[DO20] a socket that does not drain is sent no more than its backlog, then what was missed at once", async () => {
  const w = world();
  const document = w.node().document(listDocument(), "a");
  const sent: { t: string; entries?: Op[]; catchUp?: { kind: string; entries?: Op[] } }[] = [];
  let isSlow = false;
  let waiting = 0;
  const connection = new DocumentConnection({
    clock: w.clock,
    document: document as never,
    vsn: 1,
    actor: "ada",
    readOnly: true,
    active: () => {},
    nameOf: (client) => client,
    send: (text) => {
      sent.push(JSON.parse(text));
      if (isSlow) waiting += text.length;
    },
    buffered: () => waiting,
    close: (code) => assertEquals(code, undefined),
  }, { ...defaultConnectionLimits, maxBacklogBytes: 1000 });
  connection.received(JSON.stringify({ t: "join", v: 1, client: "0123456789abcdef" }));
  await w.clock.advance(1 * second);
  isSlow = true;
  const add = async (from: number, to: number) => {
    for (let n = from; n < to; n++) await w.finish(document.mutate({ add: `item ${n}` }));
  };
  await add(0, 50);
  assert(waiting > 1000 && waiting < 1500, `${waiting} bytes wait`);
  const before = sent.length;
  await w.clock.advance(20 * second);
  await add(50, 60);
  assertEquals(sent.length, before);
  waiting = 0;
  isSlow = false;
  await w.clock.advance(1 * second);
  await add(60, 61);
  assertEquals(sent.slice(before).map(({ t, catchUp }) => catchUp?.kind ?? t), ["ops", "ops"]);
  const heard = sent.flatMap(({ entries, catchUp }) => entries ?? catchUp?.entries ?? []);
  assertEquals(heard.map(({ seq }) => seq), Array.from({ length: 61 }, (_, n) => n + 1));
  connection.closed();
});

test("[DO20] a socket that asks on without reading is closed before its answers fill the memory", async () => {
  const w = world();
  const document = w.node().document(listDocument(), "a");
  await w.finish(document.mutate({ add: "x".repeat(60_000) }));
  await w.finish(document.mutate({ add: "y".repeat(60_000) }));
  const closed: number[] = [];
  let sent = 0;
  const connection = new DocumentConnection({
    clock: w.clock,
    document: document as never,
    vsn: 1,
    actor: "ada",
    readOnly: false,
    active: () => {},
    nameOf: (client) => client,
    send: (text) => void (sent += text.length),
    buffered: () => sent,
    close: (code) => void closed.push(code),
  }, { ...defaultConnectionLimits, maxBacklogBytes: 100_000 });
  const say = (frame: object) => connection.received(JSON.stringify(frame));
  say({ t: "join", v: 1, client: "0123456789abcdef" });
  await w.clock.advance(1 * second);
  // What was put right is answered whole, each time it is asked for.
  const add = "Z".repeat(10_000);
  let asked = 0;
  for (; asked < 100 && closed.length === 0; asked++) {
    say({ t: "op", seq: 1, op: { add } });
    await w.clock.advance(1 * second);
  }
  assertEquals(closed, [4429]);
  assert(asked > 3 && asked < 25, `it was closed after ${asked} answers`);
});

test("[DC11] a client whose server is silent connects anew, and goes on from where it was", async (t) => {
  const links: TransportEvents[] = [];
  const frames: { t: string; since?: unknown }[] = [];
  let opened = (_: number) => {};
  const { spec } = listDocument();
  const connected = new Connected({
    definition: { spec },
    url: "ws://localhost/",
    timing: { pongMs: 20, firstRetryMs: 1, retryMs: [1] },
    open: (_, events) => {
      const n = links.push(events);
      queueMicrotask(() => {
        events.opened();
        events.received(JSON.stringify({
          t: "joined",
          you: "ada",
          epoch: "one",
          presence: {},
          catchUp: { kind: "snapshot", seq: 7, state: { items: ["kelp"] } },
          acked: 0,
          // The second server's next heartbeat is after the test.
          heartbeatMs: n === 1 ? 5 : 60_000,
        }));
        opened(n);
      });
      return { send: (text) => void frames.push(JSON.parse(text)), close: () => {} };
    },
  }, "0123456789abcdef");
  t.defer(() => connected.close());
  await new Promise<void>((resolve) => opened = (n) => n === 2 && resolve());
  assertEquals(frames.filter(({ t }) => t === "join").map(({ since }) => since), [
    undefined,
    { epoch: "one", seq: 7 },
  ]);
  assert(frames.some(({ t }) => t === "ping"), "it did not ask");
});

test("[DC12] a client that was replaced or has stopped stays so when the network was away", (t) => {
  const network = new EventTarget();
  const before = Object.getOwnPropertyDescriptor(globalThis, "addEventListener");
  Object.defineProperty(globalThis, "addEventListener", {
    configurable: true,
    writable: true,
    value: network.addEventListener.bind(network),
  });
  t.defer(() => {
    if (before === undefined) Reflect.deleteProperty(globalThis, "addEventListener");
    else Object.defineProperty(globalThis, "addEventListener", before);
  });
  for (const [code, status] of [[4409, "replaced"], [4410, "stopped"]] as const) {
    const links: TransportEvents[] = [];
    const connected = new Connected({
      definition: listDocument(),
      url: "ws://localhost/",
      open: (_, events) => {
        links.push(events);
        return { send: () => {}, close: () => {} };
      },
    }, "0123456789abcdef");
    t.defer(() => connected.close());
    // A transport says so once it has been handed out.
    links[0]?.closed(code);
    assertEquals(connected.getSnapshot().status, status);
    for (const change of ["offline", "online"]) network.dispatchEvent(new Event(change));
    assertEquals([connected.getSnapshot().status, links.length], [status, 1]);
    connected.close();
  }
});

/** A page whose joins end in a connection of the server, and what it has kept. */
function page(w: World, vsns: { page: number; server: number }, kept: { text: string | null }) {
  const migrateOp = (_: number, op: unknown) => ({ add: `${(op as { add: string }).add}!` });
  const List = (vsn: number) =>
    listDocument({ vsn, migrateOp, migrate: (_, state) => state as { items: string[] } });
  const document = w.node().document(List(vsns.server), "a");
  const codes: number[] = [];
  const connected = new Connected({
    definition: List(vsns.page),
    url: "ws://localhost/",
    timing: { firstRetryMs: 3_600_000, retryMs: [3_600_000] },
    keep: { load: () => kept.text, save: (text) => void (kept.text = text) },
    open: (_, events) => {
      const connection = new DocumentConnection({
        clock: w.clock,
        document: document as never,
        vsn: vsns.server,
        actor: null,
        readOnly: false,
        active: () => {},
        nameOf: (client) => client,
        send: (text) => events.received(text),
        buffered: () => 0,
        close: (code) => {
          codes.push(code);
          events.closed(code);
        },
      });
      queueMicrotask(() => events.opened());
      return { send: (text) => connection.received(text), close: () => connection.closed() };
    },
  }, "0123456789abcdef");
  return { connected, codes, document };
}

test("[DC13] a page of an older version stops with what it has kept, and goes on once it is loaded again", async (t) => {
  const w = world();
  const kept = { text: null as string | null };
  const old = page(w, { page: 1, server: 2 }, kept);
  void old.connected.mutate({ add: "kelp" }).catch(() => {});
  await w.clock.advance(1 * second);
  assertEquals(old.codes, [4426]);
  const { status, reason, pending } = old.connected.getSnapshot();
  assertEquals([status, reason, pending], ["stopped", "4426", 1]);
  old.connected.close();
  assert(kept.text !== null, "nothing was kept");

  const loaded = page(w, { page: 2, server: 2 }, kept);
  t.defer(() => loaded.connected.close());
  assertEquals(loaded.connected.getSnapshot().state, { items: ["kelp!"] });
  await w.clock.advance(1 * second);
  assertEquals(await w.finish(loaded.document.state()), { items: ["kelp!"] });
  assertEquals([loaded.connected.getSnapshot().status, kept.text], ["connected", null]);
});

test("[DC13] a page of a newer version waits for a server that knows it", async (t) => {
  const w = world();
  const early = page(w, { page: 2, server: 1 }, { text: null });
  t.defer(() => early.connected.close());
  await w.clock.advance(1 * second);
  assertEquals(early.codes, [1013]);
  assertEquals(early.connected.getSnapshot().status, "connecting");
});

test("[DC13] an older page leaves alone what a newer one has kept", async (t) => {
  const w = world();
  const kept = { text: null as string | null };
  const newer = page(w, { page: 2, server: 1 }, kept);
  void newer.connected.mutate({ add: "kelp" }).catch(() => {});
  newer.connected.close();
  const before = kept.text;
  const older = page(w, { page: 1, server: 1 }, kept);
  t.defer(() => older.connected.close());
  void older.connected.mutate({ add: "rope" }).catch(() => {});
  await w.clock.advance(1 * second);
  assertEquals(older.connected.getSnapshot().status, "stopped");
  assert(before !== null && kept.text === before, "it was written over");
});

/** A page whose server is the test: it joins at once, and what it sends is noted. */
function scripted<S, Op>(
  t: TestContext,
  definition: DocumentDefinition<S, Op>,
  answer: object = {},
  timing: Partial<Timing> = {},
) {
  const links: TransportEvents[] = [];
  const frames: { t: string; seq?: number; data?: unknown }[] = [];
  const joined = {
    t: "joined",
    you: "ada",
    epoch: "one",
    presence: { bob: { actor: "bob", color: "#000", data: 1 } },
    catchUp: { kind: "ops", from: 0, entries: [] },
    acked: 0,
    heartbeatMs: 60_000,
    ...answer,
  };
  const connected = new Connected({
    definition,
    url: "ws://localhost/",
    timing: { firstRetryMs: 3_600_000, retryMs: [3_600_000], ...timing },
    open: (_, events) => {
      links.push(events);
      return { send: (text) => void frames.push(JSON.parse(text)), close: () => {} };
    },
  }, "0123456789abcdef");
  t.defer(() => connected.close());
  const hear = (frame: object) => links.at(-1)?.received(JSON.stringify(frame));
  const join = () => {
    links.at(-1)?.opened();
    hear(joined);
  };
  const changed = () =>
    new Promise<void>((resolve) => {
      const end = connected.subscribe(() => {
        end();
        resolve();
      });
    });
  return { connected, links, frames, hear, join, changed };
}

test("[DC4] a page without a connection shows nobody, but does not blink when it is back at once", async (t) => {
  const page = scripted(t, listDocument(), {}, { quietMs: 30 });
  const { connected, links, join, changed } = page;
  const here = () => Object.keys(connected.getSnapshot().presence);
  join();
  assertEquals(here(), ["bob"]);
  links[0]?.closed(1006);
  assertEquals([connected.getSnapshot().status, here()], ["connecting", ["bob"]]);
  connected.reconnect();
  join();
  links[1]?.closed(1006);
  while (here().length > 0) await changed();
  assertEquals(connected.getSnapshot().status, "connecting");
  connected.reconnect();
  join();
  assertEquals(here(), ["bob"]);
  links[2]?.closed(4410);
  assertEquals([connected.getSnapshot().status, here()], ["stopped", []]);
});

test("[DC16] of a pointer that moves all the time the server hears now and then, and where it is in the end", async (t) => {
  const { connected, frames, join } = scripted(t, listDocument());
  join();
  for (let at = 1; at <= 300; at++) connected.here({ at });
  const said = () => frames.filter(({ t }) => t === "here").map(({ data }) => data);
  assertEquals(said(), [{ at: 1 }]);
  await new Promise((resolve) => setTimeout(resolve, 80));
  assertEquals(said(), [{ at: 1 }, { at: 300 }]);
});

test("[DC16] what waits is done again a few times only, however much is answered, and is exact in the end", (t) => {
  let applied = 0;
  const Slow = listDocument({
    apply: ({ items }, op) => {
      applied++;
      for (const from = performance.now(); performance.now() - from < 0.05;);
      return { state: { items: [...items, (op as { add: string }).add] } };
    },
  });
  const { connected, hear, join } = scripted(t, Slow, { rate: { perSecond: null, burst: null } });
  join();
  const waiting = 200;
  for (let n = 1; n <= waiting; n++) void connected.mutate({ add: `${n}` }).catch(() => {});
  applied = 0;
  for (let seq = 1; seq <= waiting; seq++) {
    const client = { id: "ada", seq };
    hear({ t: "ops", entries: [{ seq, at: 0, actor: "ada", op: { add: `${seq}` }, client }] });
    assertEquals(connected.getSnapshot().state.items.length, waiting);
    hear({ t: "answer", seq, answer: { status: "commit", seq } });
  }
  const { state, confirmed, pending } = connected.getSnapshot();
  assertEquals([pending, state === confirmed, state.items.length], [0, true, waiting]);
  assert(applied < 10 * waiting, `${applied} times something was done`);
});

test("[DC15] a page sends what was refused for now again, and what came after it, in order", async (t) => {
  const { connected, frames, hear, join } = scripted(t, listDocument(), {}, {
    retryMs: [3_600_000, 3_600_000, 20],
  });
  join();
  for (const add of ["kelp", "rope", "tar"]) void connected.mutate({ add }).catch(() => {});
  const refusal = { status: "error", code: "ERR_MAILBOX_FULL", retry: true };
  for (const seq of [2, 3]) hear({ t: "answer", seq, answer: refusal });
  void connected.mutate({ add: "oar" }).catch(() => {});
  hear({ t: "answer", seq: 1, answer: { status: "commit", seq: 1 } });
  const sent = () => frames.filter(({ t }) => t === "op").map(({ seq }) => seq);
  assertEquals(sent(), [1, 2, 3]);
  await new Promise((resolve) => setTimeout(resolve, 50));
  assertEquals(sent(), [1, 2, 3, 2, 3, 4]);
});
