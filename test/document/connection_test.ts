import { Connected } from "../../src/client/dom/connected_document.ts";
import type { TransportEvents } from "../../src/client/dom/transport.ts";
import { DocumentConnection } from "../../src/document/connection.ts";
import { assert, assertEquals, test } from "../harness/mod.ts";
import { second, world } from "../object_model/world.ts";
import { listDocument } from "./list.ts";

test("[DC11] a client that says nothing for three heartbeats is gone, one that does is not", async () => {
  const w = world();
  const document = w.node().document(listDocument(), "a");
  const closed: number[] = [];
  const sent: string[] = [];
  const connection = new DocumentConnection({
    clock: w.clock,
    // A list is JSON, and so are its operations.
    document: document as never,
    actor: "ada",
    readOnly: false,
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
