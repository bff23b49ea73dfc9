import { assert, assertEquals, test } from "../harness/mod.ts";
import { begin, commit, type FakeWorld, fakeWorld, insert, relation } from "./fixtures/fake.ts";
import { bytes, int16, int32, text } from "./fixtures/messages.ts";

/** As it is described after a column was added. */
function wider(): Uint8Array {
  const columns = [["org", 23, 1], ["id", 23, 1], ["title", 25, 0], ["extra", 25, 0]] as const;
  return bytes(
    "R",
    int32(1),
    text("public"),
    text("things"),
    "i",
    int16(columns.length),
    ...columns.map(([name, type, identity]) =>
      bytes(String.fromCharCode(identity), text(name), int32(type), int32(-1))
    ),
  );
}

/** Answers all loads, as they come, and tells how many there were at a time at most. */
async function answerAll({ database, settle }: FakeWorld): Promise<number> {
  let most = 0;
  await settle();
  while (database.waiting.length > 0) {
    most = Math.max(most, database.waiting.length);
    database.waiting.shift()!.answer();
    await settle();
  }
  return most;
}

/** Many watches, each of a key of its own, all of them loaded. */
async function manyWatches(count: number): Promise<FakeWorld> {
  const w = fakeWorld({ lingerMs: 0 });
  await w.settle();
  for (let key = 1; key <= count; key++) w.open(key);
  await w.settle();
  assertEquals(w.database.loads, count);
  w.database.byHand = true;
  w.database.loads = 0;
  return w;
}

test("[SY40] a change of a table's columns has a thousand watches load once each, a few at a time", async () => {
  const w = await manyWatches(1000);
  Object.assign(w.database.seen, { snapshot: "21:21:", lsn: 150 });
  w.feed.raw(begin(20, 100), wider(), insert("1", "1", "a", "b"), commit(100));
  await w.clock.advance(50);
  assertEquals(await answerAll(w), 4);
  assertEquals(w.database.loads, 1000);
});

test("[SY40] watches that wait for their turn load once, however often they have to", async () => {
  const w = await manyWatches(100);
  Object.assign(w.database.seen, { snapshot: "99:99:", lsn: 900 });
  // The stream ends, and is another one, again and again.
  for (let i = 0; i < 5; i++) {
    w.feed.epoch = `epoch ${i}`;
    w.feed.cut();
    await w.clock.advance(6000);
  }
  assertEquals(w.database.waiting.length, 4);
  assertEquals(await answerAll(w), 4);
  // Those four were under way when the stream began once more.
  assert(w.database.loads <= 104, `there were ${w.database.loads} loads`);
});

test("[SY40] a watch that is closed before its turn asks the database for nothing", async () => {
  const w = fakeWorld();
  await w.settle();
  w.database.byHand = true;
  const watches = [1, 2, 3, 4, 5, 6].map((key) => w.open(key));
  await w.settle();
  for (const watch of watches) {
    watch.ready().catch(() => {});
    watch.close();
  }
  await answerAll(w);
  assertEquals(w.database.loads, 4);
});

test("[SY40] a watch that has nothing to show yet does not wait for all that load again", async () => {
  const w = await manyWatches(200);
  Object.assign(w.database.seen, { snapshot: "21:21:", lsn: 150 });
  w.feed.raw(begin(20, 100), relation(), commit(100));
  w.feed.raw(begin(20, 101), wider(), commit(101));
  await w.clock.advance(50);
  const fresh = w.open(1000);
  let turns = 0;
  while (fresh.getSnapshot().version === 0) {
    w.database.waiting.shift()!.answer();
    await w.settle();
    turns++;
  }
  assert(turns <= 6, `it came after ${turns} others`);
  await answerAll(w);
  assertEquals(w.database.loads, 201);
});
