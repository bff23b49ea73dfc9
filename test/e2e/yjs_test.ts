import { applyUpdate, Doc, encodeStateAsUpdate } from "yjs";
import { connectDocument } from "../../adapters/document-client/mod.ts";
import { memoryStorage } from "../../adapters/memory/mod.ts";
import type { Server } from "../../adapters/web/serving.ts";
import { yjsDocument } from "../../adapters/yjs/mod.ts";
import {
  type ConnectedYjs,
  connectYjs,
  type YjsConnectOptions,
} from "../../adapters/yjs-client/mod.ts";
import type { JsonValue, Storage } from "../../mod.ts";
import { assert, assertEquals, assertThrows, test, type TestContext } from "../harness/mod.ts";
import { serveDocuments } from "./document_place.ts";

const Notes = yjsDocument({ name: "notes", maxOpBytes: 100_000 });

const serving = (t: TestContext, storage: Storage = memoryStorage(), port = 0): Promise<Server> =>
  serveDocuments(t, Notes, "/notes/:id", { storage, port, sockets: { maxFrameBytes: 200_000 } });

function client(
  t: TestContext,
  { url }: Pick<Server, "url">,
  actor: string,
  more: Partial<YjsConnectOptions> = {},
): ConnectedYjs {
  const connected = connectYjs({
    doc: new Doc(),
    url: `${url.replace("http", "ws")}/notes/a?actor=${actor}`,
    timing: { firstRetryMs: 5, retryMs: [10, 20, 50] },
    ...more,
  });
  t.defer(() => connected.close());
  return connected;
}

/** Waits until it is so, whenever the document, its awareness or the connection changes. */
async function until(connected: ConnectedYjs, is: () => boolean): Promise<void> {
  while (!is()) {
    await new Promise<void>((resolve) => {
      const done = () => {
        end();
        connected.doc.off("update", done);
        connected.awareness.off("update", done);
        resolve();
      };
      const end = connected.subscribe(done);
      connected.doc.on("update", done);
      connected.awareness.on("update", done);
    });
  }
}

const body = ({ doc }: ConnectedYjs) => doc.getText("body");
const text = (connected: ConnectedYjs): string => body(connected).toString();
const saved = (connected: ConnectedYjs) => until(connected, () => !connected.getSnapshot().unsaved);
const synced = (connected: ConnectedYjs) => until(connected, () => connected.getSnapshot().synced);

test("[YJ5] what one writes the other reads, and both can write at once", async (t) => {
  const server = await serving(t);
  const [ada, bob] = [client(t, server, "ada"), client(t, server, "bob")];
  await Promise.all([synced(ada), synced(bob)]);
  body(ada).insert(0, "kelp ");
  body(bob).insert(0, "rope ");
  assert(ada.getSnapshot().unsaved, "it says that it is saved at once");
  await Promise.all([saved(ada), saved(bob)]);
  await Promise.all([ada, bob].map((each) => until(each, () => text(each).length === 10)));
  assertEquals(text(ada), text(bob));
  assertEquals(ada.getSnapshot(), ada.getSnapshot());
});

test("[YJ5] many changes go as few updates, and what was there before goes along", async (t) => {
  const server = await serving(t);
  const doc = new Doc();
  doc.getText("body").insert(0, "old ");
  const ada = client(t, server, "ada", { doc });
  for (let at = 0; at < 2000; at++) body(ada).insert(4 + at, "x");
  await saved(ada);
  const { seq } = ada.getSnapshot();
  assert(seq >= 1 && seq <= 5, `${seq} updates for 2,000 changes`);
  const bob = client(t, server, "bob");
  await until(bob, () => text(bob).length === 2004);
});

test("[YJ5] a page that has the document already sends only what the server has not", async (t) => {
  const server = await serving(t);
  const ada = client(t, server, "ada");
  for (const part of ["kelp ", "rope "]) {
    body(ada).insert(0, part.repeat(10_000));
    await saved(ada);
  }
  // As from y-indexeddb: more than one operation may be, and one word that was never sent.
  const doc = new Doc();
  applyUpdate(doc, encodeStateAsUpdate(ada.doc));
  doc.getText("body").insert(0, "tar ");
  const again = client(t, server, "ada", { doc });
  assert(again.getSnapshot().unsaved, "it is saved before it knows");
  await saved(again);
  assertEquals([again.getSnapshot().refused, again.getSnapshot().synced], [undefined, true]);
  await until(ada, () => text(ada).startsWith("tar rope "));
});

test("[YJ5] what is written while the server is gone is merged when it is back, also after a reload", async (t) => {
  const storage = memoryStorage();
  const first = await serving(t, storage);
  let kept: string | null = null;
  const keep = { load: () => kept, save: (what: string | null) => void (kept = what) };
  const [ada, bob] = [client(t, first, "ada", { keep }), client(t, first, "bob")];
  body(ada).insert(0, "kelp");
  await saved(ada);
  await until(bob, () => text(bob) === "kelp");
  assertEquals(kept, null);
  await first.close();
  await until(ada, () => ada.getSnapshot().status === "connecting");
  body(ada).insert(4, " and rope");
  body(bob).insert(0, "fresh ");
  assert(kept !== null, "nothing was kept");
  // Ada's page is loaded again before the server is back: what was certain is there only then.
  ada.close();
  const again = client(t, first, "ada", { keep });
  await serving(t, storage, first.port);
  await Promise.all([saved(again), saved(bob)]);
  for (const each of [again, bob]) {
    await until(each, () => text(each) === "fresh kelp and rope");
  }
  assertEquals(kept, null);
});

test("[YJ5] a server that has lost what was certain gets it back, also under what is on its way", async (t) => {
  const first = await serving(t);
  const [ada, bob] = [client(t, first, "ada"), client(t, first, "bob")];
  body(ada).insert(0, "kelp");
  await Promise.all([saved(ada), until(bob, () => text(bob) === "kelp")]);
  await first.close();
  await until(ada, () => ada.getSnapshot().status === "connecting");
  // Bob has nothing to send, Ada has: it stands in the middle of what is lost.
  body(ada).insert(2, "--");
  const second = await serving(t, memoryStorage(), first.port);
  await saved(ada);
  const eve = client(t, second, "eve");
  for (const each of [ada, bob, eve]) await until(each, () => text(each) === "ke--lp");
  assertEquals([ada, bob].map((each) => each.getSnapshot().refused), [undefined, undefined]);
  // Who has nothing to send gives back, too; who may only read says nothing of it.
  const reader = client(t, second, "guest");
  await until(reader, () => text(reader) === "ke--lp");
  for (const each of [ada, eve]) each.close();
  await second.close();
  const third = await serving(t, memoryStorage(), first.port);
  const finn = client(t, third, "finn");
  await until(finn, () => text(finn) === "ke--lp");
  await synced(reader);
});

test("[YJ5] a server that has lost only what was deleted gets that back, and nobody else's word is needed", async (t) => {
  const storage = memoryStorage();
  const first = await serving(t, storage);
  const ada = client(t, first, "ada");
  body(ada).insert(0, "kelp and rope");
  await saved(ada);
  await first.close();
  // What there was, under the same keys, before the rest of it was deleted.
  const backup = memoryStorage();
  for (const key of await storage.list("")) {
    await backup.put(key, (await storage.get(key))?.value ?? "");
  }
  const second = await serving(t, storage, first.port);
  body(ada).delete(4, 9);
  await saved(ada);
  await second.close();
  const third = await serving(t, backup, first.port);
  const bob = client(t, third, "bob");
  await until(bob, () => text(bob) === "kelp");
});

test("[YJ6] what is not allowed or too large is told, and nothing more is sent", async (t) => {
  const server = await serving(t);
  const [ada, guest] = [client(t, server, "ada"), client(t, server, "guest")];
  body(ada).insert(0, "kelp");
  await until(guest, () => text(guest) === "kelp");
  body(guest).insert(0, "my ");
  await until(guest, () => guest.getSnapshot().refused !== undefined);
  assertEquals(guest.getSnapshot().refused, "the connection is read-only");
  assert(guest.getSnapshot().unsaved);
  body(ada).insert(0, "x".repeat(75_300));
  await until(ada, () => ada.getSnapshot().refused !== undefined);
  assertEquals(ada.getSnapshot().refused, "ERR_TOO_LARGE");
  body(ada).insert(0, "more");
  const bob = client(t, server, "bob");
  await until(bob, () => text(bob) === "kelp");
  body(bob).insert(0, "fresh ");
  await Promise.all([ada, guest].map((each) => until(each, () => text(each).includes("fresh "))));
  assertEquals(text(bob), "fresh kelp");
  // Too large for a frame even: the route ends the connection, for good.
  body(bob).insert(0, "x".repeat(100_000));
  await until(bob, () => bob.getSnapshot().status === "stopped");
  assertEquals([bob.getSnapshot().reason, bob.getSnapshot().unsaved], ["4413", true]);
});

test("[DC10] a frame with the largest operation passes, above the 64 KiB of others", async (t) => {
  const server = await serving(t);
  const ada = client(t, server, "ada");
  body(ada).insert(0, "x".repeat(74_000));
  await saved(ada);
  const bob = client(t, server, "bob");
  await until(bob, () => text(bob).length === 74_000);
});

test("[YJ7] nobody can speak for another, and what is no state is passed over", async (t) => {
  const server = await serving(t);
  const [ada, bob] = [client(t, server, "ada"), client(t, server, "bob")];
  bob.awareness.setLocalState({ user: "Bob" });
  const mallory = connectDocument({
    definition: Notes,
    url: `${server.url.replace("http", "ws")}/notes/a?actor=mallory`,
  });
  t.defer(() => mallory.close());
  await Promise.all([synced(ada), synced(bob)]);
  const seen = (who: ConnectedYjs, number: number) =>
    who.awareness.getStates().get(number)?.["user"];
  await until(ada, () => seen(ada, bob.doc.clientID) === "Bob");
  /** Says something, and waits until it was told: what is said meanwhile takes its place. */
  const say = async (data: JsonValue) => {
    mallory.here(data);
    const { promise, resolve } = Promise.withResolvers<void>();
    const look = () => {
      const { presence, you = "" } = mallory.getSnapshot();
      if (JSON.stringify(presence[you]?.data) === JSON.stringify(data)) resolve();
    };
    const end = mallory.subscribe(look);
    look();
    await promise;
    end();
  };
  await say({ client: bob.doc.clientID, clock: 1e6, state: { user: "Mallory" } });
  // As bytes it would be Bob's.
  await say({ client: bob.doc.clientID + 0.5, clock: 1e6, state: { user: "Mallory" } });
  await say({ client: "1", clock: -1, state: null });
  await say({ client: 7, clock: 1, state: { user: "Mallory" } });
  for (const each of [ada, bob]) await until(each, () => seen(each, 7) === "Mallory");
  assertEquals(bob.awareness.getLocalState(), { user: "Bob" });
  assertEquals(seen(ada, bob.doc.clientID), "Bob");
  // Bob is still heard.
  bob.awareness.setLocalState({ user: "Bob again" });
  await until(ada, () => seen(ada, bob.doc.clientID) === "Bob again");
});

test("[YJ7] who is where comes, changes and goes with its connection", async (t) => {
  const server = await serving(t);
  const [ada, bob] = [client(t, server, "ada"), client(t, server, "bob")];
  await Promise.all([synced(ada), synced(bob)]);
  ada.awareness.setLocalStateField("user", { name: "Ada" });
  const seen = () => bob.awareness.getStates().get(ada.doc.clientID);
  await until(bob, () => seen()?.["user"] !== undefined);
  assertEquals(seen(), { user: { name: "Ada" } });
  ada.awareness.setLocalStateField("cursor", { at: 3 });
  await until(bob, () => seen()?.["cursor"] !== undefined);
  await until(ada, () => ada.awareness.getStates().has(bob.doc.clientID));
  ada.close();
  await until(bob, () => seen() === undefined);
  assertThrows(
    () => bob.awareness.setLocalState({ much: "x".repeat(5000) }),
    /at most 4000/,
  );
});
