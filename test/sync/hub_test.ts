// Longer than 400 lines because all that a hub decides is tried on the same log and database, made up by hand.
import { assert, assertEquals, assertRejects, test } from "../harness/mod.ts";
import { SyncSetupError } from "../../src/sync/setup.ts";
import {
  begin,
  commit,
  type FakeWorld,
  fakeWorld,
  insert,
  relation,
  type Thing,
  things,
  update,
} from "./fixtures/fake.ts";
import { bytes, int16, int32, text, tuple } from "./fixtures/messages.ts";

function titles(
  watch: { getSnapshot(): { readonly value: readonly Thing[] | undefined } },
): string {
  return (watch.getSnapshot().value ?? []).map(({ id, title }) => `${id}${title}`).join(" ");
}

function invalidations({ events }: FakeWorld): readonly string[] {
  return events.flatMap((event) => event.name === "holdfast.sync.invalidate" ? [event.reason] : []);
}

const row = (id: number, title: string): Thing => ({ org: 1, id, title });

test("[SY3] what a load has seen already is not applied again when the log comes to it", async () => {
  const w = fakeWorld();
  await w.settle();
  // 10 and 11 are committed and seen; the log is behind.
  Object.assign(w.database.seen, { value: [row(1, "c")], snapshot: "12:12:", lsn: 500 });
  const watch = w.open();
  await w.settle();
  let calls = 0;
  watch.subscribe(() => calls++);
  w.feed.commit(10, 100, insert("1", "1", "a"));
  w.feed.commit(11, 200, update("1", "1", "c"));
  assertEquals([titles(watch), calls], ["1c", 0]);
  // 12 was under way, and 13 began later: both are news.
  w.feed.commit(12, 300, insert("1", "2", "x"));
  w.feed.commit(13, 600, update("1", "1", "d"));
  assertEquals([titles(watch), calls], ["1d 2x", 2]);
  // Past the load the ids mean nothing any more, though this one was in use before.
  w.feed.commit(10, 700, update("1", "1", "e"));
  assertEquals(titles(watch), "1e 2x");
});

test("[SY3] what comes while a load is under way is applied to it, unless it was seen", async () => {
  const w = fakeWorld();
  await w.settle();
  w.database.byHand = true;
  const watch = w.open();
  await w.settle();
  w.feed.commit(20, 100, insert("1", "1", "seen"));
  w.feed.commit(21, 200, insert("1", "2", "unseen"));
  w.feed.commit(22, 300, insert("2", "3", "of another"));
  w.database.waiting[0]!.answer({ value: [row(1, "seen")], snapshot: "21:30:21", lsn: 250 });
  await w.settle();
  assertEquals(titles(watch), "1seen 2unseen");
  assertEquals(w.database.loads, 1);
});

test("[SY4] a load that begins after a commit was handed out gets it from what is kept", async () => {
  const w = fakeWorld();
  await w.settle();
  w.feed.commit(20, 100, insert("1", "1", "a"), insert("2", "2", "b"));
  Object.assign(w.database.seen, { value: [], snapshot: "20:21:20", lsn: 150 });
  const watch = w.open();
  await w.settle();
  assertEquals(titles(watch), "1a");
  // Seen by everybody now, it is kept no longer.
  Object.assign(w.database.seen, { value: [row(1, "a")], snapshot: "21:21:", lsn: 150 });
  const other = w.open(1, { orderBy: "id" });
  await w.settle();
  assertEquals(titles(other), "1a");
  assertEquals(w.hub.ring.transactions.length, 0);
});

test("[SY5] a value that lacks two commits is loaded again when queries see the first of them", async () => {
  const w = fakeWorld();
  await w.settle();
  w.database.byHand = true;
  const watch = w.open(1, { load: () => 0 });
  const answer = async (value: number, snapshot: string, lsn: number): Promise<void> => {
    await w.settle();
    w.database.waiting.shift()!.answer({ value, snapshot, lsn });
    await w.settle();
    assertEquals(w.database.waiting.length, 0);
  };
  await answer(0, "20:20:", 10);
  // The first stays hidden, and the second comes while what the first has caused is loading.
  w.feed.commit(20, 100, insert("1", "1", "hidden"));
  await w.settle();
  w.feed.commit(21, 200, insert("1", "2", "shown"));
  await answer(0, "20:21:20", 150);
  w.database.seen.snapshot = "20:22:20";
  await w.clock.advance(2000);
  await answer(1, "20:22:20", 300);
  assertEquals(watch.getSnapshot().value as unknown, 1);
  // It is not asked for again before there is something to see.
  await w.clock.advance(20_000);
  assertEquals(w.database.waiting.length, 0);
  w.database.seen.snapshot = "22:22:";
  await w.clock.advance(2000);
  await answer(2, "22:22:", 300);
  assertEquals(watch.getSnapshot().value as unknown, 2);
});

test("[SY17] a commit that had to make room is waited for before the value is right", async () => {
  const w = fakeWorld();
  await w.settle();
  const all = Array.from({ length: 20 }, (_, i) => row(i, "x"));
  for (const { id } of all) w.feed.commit(100 + id, 100 + id, insert("1", String(id), "x"));
  assert(w.hub.ring.transactions.length <= 8);
  // None of them is seen: what is kept is there, and the rest is missing.
  const underway = all.map(({ id }) => 100 + id).join(",");
  Object.assign(w.database.seen, { value: [], snapshot: `100:120:${underway}`, lsn: 200 });
  const watch = w.open();
  await w.settle();
  const first = watch.getSnapshot().value!.length;
  assert(first > 0 && first <= 8, `${first} rows`);
  Object.assign(w.database.seen, { value: all, snapshot: "120:120:", lsn: 200 });
  await w.clock.advance(5000);
  assertEquals(watch.getSnapshot().value!.length, 20);
});

test("[SY17] a transaction of too many changes, or too much while loading, is loaded instead", async () => {
  const w = fakeWorld();
  await w.settle();
  const watch = w.open();
  await w.settle();
  Object.assign(w.database.seen, { value: [row(1, "loaded")], snapshot: "31:31:", lsn: 900 });
  const many = Array.from({ length: 6 }, (_, i) => insert("1", String(i), "y"));
  w.feed.commit(30, 800, ...many);
  await w.settle();
  assertEquals([titles(watch), invalidations(w).at(-1)], ["1loaded", "overflow"]);
  w.database.byHand = true;
  const slow = w.open(1, { orderBy: "id" });
  await w.settle();
  for (let i = 0; i < 12; i++) w.feed.commit(40 + i, 1000 + i, insert("1", String(100 + i), "z"));
  assertEquals(w.database.waiting.length, 1);
  Object.assign(w.database.seen, { value: [row(1, "again")], snapshot: "60:60:", lsn: 2000 });
  w.database.byHand = false;
  w.database.waiting[0]!.answer({ value: [], snapshot: "31:31:", lsn: 900 });
  await w.settle();
  assertEquals(titles(slow), "1again");
});

test("[SY17] the stream is held back while loads keep too much, and goes on after", async () => {
  const w = fakeWorld({ pauseAtChanges: 6, bufferedChanges: 100 });
  await w.settle();
  w.database.byHand = true;
  const watch = w.open();
  await w.settle();
  for (let i = 0; i < 6; i++) w.feed.commit(40 + i, 1000 + i, insert("1", String(i), "z"));
  assertEquals(w.feed.paused, true);
  w.database.waiting[0]!.answer({ snapshot: "1:1:", lsn: 0 });
  await w.settle();
  assertEquals([w.feed.paused, watch.getSnapshot().value!.length], [false, 6]);
  // One that is closed gives back what it kept.
  const other = w.open(1, { orderBy: "id" });
  await w.settle();
  for (let i = 0; i < 6; i++) w.feed.commit(50 + i, 1100 + i, insert("1", String(9 + i), "z"));
  assertEquals(w.feed.paused, true);
  other.close();
  assertEquals(w.feed.paused, false);
});

test("[SY17] a load that does not end holds nobody back for what is not kept for it", async () => {
  const w = fakeWorld({ pauseAtChanges: 6, bufferedChanges: 3 });
  await w.settle();
  const other = w.open(2);
  await w.settle();
  w.database.byHand = true;
  w.open(1);
  await w.settle();
  for (let i = 0; i < 20; i++) w.feed.commit(40 + i, 1000 + i, insert("1", String(i), "z"));
  assertEquals(w.feed.paused, false);
  w.feed.commit(70, 1100, insert("2", "1", "theirs"));
  assertEquals(titles(other), "1theirs");
});

test("[SY17] many loads that do not end hold the others back for a while, and no longer", async () => {
  const w = fakeWorld({ pauseAtChanges: 6, bufferedChanges: 100 });
  await w.settle();
  const other = w.open(2);
  await w.settle();
  w.database.byHand = true;
  const [one, two] = [w.open(1), w.open(1, { orderBy: "id" })];
  await w.settle();
  for (let i = 0; i < 3; i++) w.feed.commit(40 + i, 1000 + i, insert("1", String(i), "z"));
  assertEquals(w.feed.paused, true);
  await w.clock.advance(4999);
  assertEquals(w.feed.paused, true);
  await w.clock.advance(1);
  assertEquals(w.feed.paused, false);
  w.feed.commit(70, 1100, insert("2", "1", "theirs"), insert("1", "5", "z"));
  assertEquals(titles(other), "1theirs");
  // What was forgotten is loaded.
  Object.assign(w.database.seen, { value: [row(1, "whole")], snapshot: "80:80:", lsn: 2000 });
  w.database.byHand = false;
  for (const load of w.database.waiting) load.answer({ value: [], snapshot: "31:31:", lsn: 900 });
  await w.settle();
  assertEquals([one, two].map(titles), ["1whole", "1whole"]);
});

test("[SY14] an order that throws costs its own watch a load, and no other one anything", async () => {
  const w = fakeWorld();
  await w.settle();
  let wrong = false;
  const orderBy = (a: Thing, b: Thing): number => {
    if (wrong) throw new Error("No order");
    return a.id - b.id;
  };
  const [bad, good] = [w.open(1, { orderBy }), w.open(1)];
  await w.settle();
  w.feed.commit(30, 800, insert("1", "2", "a"));
  assertEquals([titles(bad), titles(good)], ["2a", "2a"]);
  const { loads } = w.database;
  Object.assign(w.database.seen, { value: [row(9, "loaded")], snapshot: "40:40:", lsn: 2000 });
  wrong = true;
  w.feed.commit(31, 810, insert("1", "1", "b"));
  wrong = false;
  await w.settle();
  assertEquals([titles(bad), titles(good), w.database.loads - loads], ["9loaded", "2a 1b", 1]);
  assertEquals(invalidations(w).slice(-1), ["undecodable"]);
});

test("[SY17] a large row counts as many times as it has kilobytes, wherever changes are kept", async () => {
  const large = (id: number): Uint8Array => insert("1", String(id), "x".repeat(8000));
  // Of one transaction.
  const one = fakeWorld({ transactionChanges: 15 });
  await one.settle();
  one.open();
  await one.settle();
  one.feed.commit(30, 800, large(1));
  assertEquals(invalidations(one).includes("overflow"), false);
  one.feed.commit(31, 810, large(1), large(2));
  assertEquals(invalidations(one).at(-1), "overflow");
  // While a load is under way.
  const two = fakeWorld({ transactionChanges: 15, pauseAtChanges: 15, bufferedChanges: 1000 });
  await two.settle();
  two.database.byHand = true;
  two.open();
  await two.settle();
  for (const [i, paused] of [false, true].entries()) {
    two.feed.commit(30 + i, 800 + i, large(i));
    assertEquals(two.feed.paused, paused);
  }
  // Until queries see them, which is asked for when much is kept.
  const three = fakeWorld({ transactionChanges: 15, ringTransactions: 1000, ringChanges: 60 });
  await three.settle();
  three.feed.commit(30, 800, large(1));
  const { snapshots } = three.database;
  three.database.seen.snapshot = "40:40:";
  three.feed.commit(31, 810, large(2));
  await three.settle();
  assertEquals([three.database.snapshots - snapshots, three.hub.ring.transactions.length], [1, 0]);
});

test("[SY14] a message that cannot be read costs a load, and the stream goes on", async () => {
  const w = fakeWorld();
  await w.settle();
  const watch = w.open();
  await w.settle();
  const before = invalidations(w).length;
  Object.assign(w.database.seen, { value: [row(1, "loaded")], snapshot: "31:31:", lsn: 900 });
  w.feed.raw(begin(30, 800), relation(), bytes("I", int32(1), "N", "garbage"), commit(800));
  await w.settle();
  assertEquals([titles(watch), invalidations(w).slice(before)], ["1loaded", ["overflow"]]);
  // One that belongs to no transaction, and the end of one: what is lost is unknown.
  Object.assign(w.database.seen, { value: [row(1, "anew")], snapshot: "32:32:", lsn: 950 });
  w.feed.raw(bytes("Z"));
  await w.settle();
  assertEquals([titles(watch), invalidations(w).at(-1)], ["1anew", "epoch"]);
  Object.assign(w.database.seen, { value: [row(1, "more")], snapshot: "40:40:", lsn: 1000 });
  w.feed.raw(begin(33, 960), insert("1", "1", "lost"), bytes("C", "\0"));
  w.feed.raw(begin(34, 970), insert("2", "5", "of another"), commit(970));
  await w.settle();
  assertEquals(titles(watch), "1more");
  assertEquals([w.feed.opened, w.hub.status.state], [1, "live"]);
});

test("[SY18] a stream that does not follow on has every watch load, and says stale meanwhile", async () => {
  const w = fakeWorld();
  await w.settle();
  const watch = w.open();
  await w.settle();
  const states: string[] = [];
  watch.subscribe(({ status }) => states.push(status));
  w.feed.epoch = "two";
  Object.assign(w.database.seen, { value: [row(1, "after")], snapshot: "31:31:", lsn: 900 });
  w.feed.cut();
  assertEquals([w.hub.status.state, watch.getSnapshot().status], ["connecting", "stale"]);
  await w.clock.advance(200);
  assertEquals([w.hub.status.state, titles(watch)], ["live", "1after"]);
  assertEquals(states, ["stale", "live"]);
});

test("[SY19] a stream that follows on has nobody load, and what comes twice is applied once", async () => {
  const w = fakeWorld();
  await w.settle();
  const watch = w.open(1, { orderBy: "id" });
  await w.settle();
  w.feed.commit(30, 800, insert("1", "1", "a"));
  const { loads } = w.database;
  let calls = 0;
  w.feed.cut();
  await w.clock.advance(200);
  watch.subscribe(() => calls++);
  assertEquals(w.feed.afters.at(-1), { epoch: "one", lsn: 801n });
  w.feed.commit(30, 800, insert("1", "1", "again"));
  w.feed.commit(31, 900, insert("1", "2", "b"));
  assertEquals([titles(watch), calls, w.database.loads], ["1a 2b", 1, loads]);
});

test("[SY18] a stream is opened again and again, less and less often", async () => {
  const w = fakeWorld();
  await w.settle();
  w.feed.refuse = new Error("Nobody there");
  w.feed.cut();
  await w.clock.advance(60_000);
  assert(w.feed.opened > 8 && w.feed.opened < 40, `${w.feed.opened} tries`);
  w.feed.refuse = undefined;
  await w.clock.advance(5000);
  assertEquals(w.hub.status.state, "live");
});

test("[SY25] before there is a stream values are loaded, and loaded again when it begins", async () => {
  const w = fakeWorld();
  w.feed.refuse = new Error("The slot waits for a transaction");
  const watch = w.open();
  await w.settle();
  assertEquals([watch.getSnapshot().status, w.database.loads], ["stale", 1]);
  Object.assign(w.database.seen, { value: [row(1, "fresh")], snapshot: "31:31:", lsn: 900 });
  w.feed.refuse = undefined;
  await w.clock.advance(500);
  assertEquals([watch.getSnapshot().status, titles(watch)], ["live", "1fresh"]);
});

test("[SY25] what was under way when the stream began may be missing from it, and is loaded", async () => {
  const w = fakeWorld();
  w.feed.underway = "30:32:30";
  Object.assign(w.database.seen, { value: [], snapshot: "30:40:30", lsn: 900 });
  const watch = w.open();
  await w.settle();
  assertEquals([watch.getSnapshot().status, titles(watch)], ["live", ""]);
  Object.assign(w.database.seen, { value: [row(1, "late")], snapshot: "40:40:", lsn: 900 });
  await w.clock.advance(3000);
  assertEquals(titles(watch), "1late");
});

test("[SY25] [SY17] what a load lacks is found out though a later one, which was faster, has seen it", async () => {
  for (const dropped of [false, true]) {
    const w = fakeWorld();
    if (!dropped) w.feed.underway = "30:32:30";
    await w.settle();
    if (dropped) { for (let i = 30; i < 50; i++) w.feed.commit(i, i, insert("1", String(i), "x")); }
    w.database.byHand = true;
    const [slow, fast] = [w.open(1), w.open(2)];
    await w.settle();
    const [first, second] = w.database.waiting.splice(0);
    second!.answer({ value: [], snapshot: "60:60:", lsn: 900 });
    await w.settle();
    first!.answer({ value: [], snapshot: "30:60:30", lsn: 900 });
    await w.settle();
    for (const load of w.database.waiting.splice(0)) {
      load.answer({ value: [row(1, "late")], snapshot: "60:60:", lsn: 900 });
    }
    w.database.byHand = false;
    Object.assign(w.database.seen, { value: [row(1, "late")], snapshot: "60:60:", lsn: 900 });
    await w.clock.advance(5000);
    assertEquals([titles(slow), titles(fast)], ["1late", ""]);
  }
});

test("[SY25] ready() tells what has to be set up, and settles once it is", async () => {
  const w = fakeWorld();
  w.feed.refuse = new SyncSetupError([{ code: "slots", message: "all slots are in use" }]);
  await assertRejects(() => w.hub.ready(), "ERR_SYNC_SETUP");
  w.feed.refuse = undefined;
  await w.clock.advance(500);
  await w.hub.ready();
});

test("[SY38] what is set up otherwise is loaded anew, and what is not set up any more is stale", async () => {
  const w = fakeWorld({ checkEveryMs: 1000 });
  await w.settle();
  const watch = w.open();
  await w.settle();
  const look = (): readonly unknown[] => [w.hub.status.state, watch.getSnapshot().status];
  // Nothing has changed.
  const { loads } = w.database;
  await w.clock.advance(3000);
  assertEquals([w.database.loads, ...look()], [loads, "live", "live"]);
  // It has changed, and is in order.
  w.database.set = "another";
  Object.assign(w.database.seen, { value: [row(1, "anew")], snapshot: "31:31:", lsn: 900 });
  await w.clock.advance(1000);
  assertEquals([w.database.loads, titles(watch), ...look()], [loads + 1, "1anew", "live", "live"]);
  // It is gone, and the stream goes on, is cut, and follows on.
  w.database.set = "gone";
  w.database.wrong = new SyncSetupError([{ code: "publication", message: "there is none" }]);
  await w.clock.advance(1000);
  assertEquals(look(), ["connecting", "stale"]);
  await assertRejects(() => w.hub.ready(), "ERR_SYNC_SETUP");
  w.feed.cut();
  await w.clock.advance(1000);
  assertEquals([w.feed.opened, ...look()], [2, "connecting", "stale"]);
  // It is back as it was before, and what was not in the log meanwhile is loaded.
  w.database.set = "another";
  w.database.wrong = undefined;
  Object.assign(w.database.seen, { value: [row(1, "missed")], snapshot: "41:41:", lsn: 950 });
  await w.clock.advance(1000);
  await w.hub.ready();
  assertEquals([titles(watch), ...look()], ["1missed", "live", "live"]);
});

test("[SY39] a change that does not say whose row it was has all of its table load", async () => {
  const w = fakeWorld();
  await w.settle();
  const watches = [w.open(1), w.open(2)];
  await w.settle();
  const flagged = (mark: string): Uint8Array => {
    const columns = things.columns.map(({ name, type }) =>
      bytes(name === "id" ? "\x01" : mark, text(name), int32(type), int32(-1))
    );
    return bytes("R", int32(1), text("public"), text("things"), "d", int16(3), ...columns);
  };
  const anew = (): number => invalidations(w).filter((why) => why === "overflow").length;
  const rows = [
    [bytes("D", int32(1), "K", tuple(null, "1", null)), 2],
    [update("2", "1", "moved"), 2],
    [insert("1", "9", "new"), 0],
  ] as const;
  for (const [i, [message, loads]] of rows.entries()) {
    const before = anew();
    const [xid, lsn] = [50 + i, 1000 + 10 * i];
    Object.assign(w.database.seen, { snapshot: `${xid + 1}:${xid + 1}:`, lsn: lsn + 1 });
    w.feed.raw(begin(xid, lsn), flagged("\0"), message, commit(lsn));
    await w.clock.advance(50);
    assertEquals(anew() - before, loads, `message ${i}`);
  }
  assertEquals(watches.map((one) => one.getSnapshot().status), ["live", "live"]);
});

test("[RL12] the server is told how far the log was dealt with, also when nothing of it is for us", async () => {
  const w = fakeWorld();
  await w.settle();
  const reported = (): bigint => new DataView(w.feed.sent.at(-1)!.buffer).getBigUint64(1);
  w.feed.commit(30, 800, insert("1", "1", "a"));
  await w.clock.advance(10_000);
  assertEquals(reported(), 801n);
  w.feed.keepalive(5000, true);
  assertEquals(reported(), 5000n);
  // In the middle of a transaction nothing of it is dealt with.
  w.feed.raw(begin(31, 9000), relation());
  w.feed.keepalive(8000, true);
  assertEquals(reported(), 5000n);
  w.feed.raw(commit(9000));
  w.feed.keepalive(8500, true);
  assertEquals(reported(), 9001n);
  const { length } = w.feed.sent;
  w.feed.keepalive(8500, false);
  assertEquals(w.feed.sent.length, length);
});

test("[SY31] the lag is from the last commit until it was dealt with, and none when all was", async () => {
  const w = fakeWorld();
  await w.settle();
  assertEquals(w.hub.lagMs, undefined);
  const now = w.clock.now() - Date.UTC(2000, 0, 1);
  w.feed.raw(begin(30, 800), relation(), insert("1", "1", "a"));
  assertEquals(w.hub.lagMs, undefined);
  w.feed.raw(commit(800, now - 250));
  assertEquals(w.hub.lagMs, 250);
  // What is sent in the middle of a transaction does not say that it was dealt with.
  w.feed.raw(begin(31, 900), relation());
  w.feed.keepalive(850, false);
  assertEquals(w.hub.lagMs, 250);
  // The server's clock may be ahead of ours.
  w.feed.raw(commit(900, now + 1000));
  assertEquals(w.hub.lagMs, 0);
  w.feed.raw(begin(32, 950), relation(), commit(950, now - 70));
  assertEquals(w.hub.lagMs, 70);
  w.feed.keepalive(5000, false);
  assertEquals(w.hub.lagMs, 0);
});

test("[RL17] the server is nudged soon after what it sends, once, and not while it is silent", async () => {
  const w = fakeWorld();
  await w.settle();
  w.feed.commit(30, 800, insert("1", "1", "a"));
  w.feed.commit(31, 900, insert("1", "2", "b"));
  await w.clock.advance(49);
  assertEquals(w.feed.sent.length, 0);
  await w.clock.advance(1);
  assertEquals(w.feed.sent.length, 1);
  w.feed.keepalive(5000, false);
  await w.clock.advance(60);
  assertEquals(w.feed.sent.length, 2);
  // The answer to a report of ours brings nothing new.
  w.feed.keepalive(5000, false);
  await w.clock.advance(5000);
  assertEquals(w.feed.sent.length, 2);
});

test("[RL13] a server that does not answer is given up, one that is held back is not", async () => {
  const w = fakeWorld();
  await w.settle();
  for (let i = 0; i < 10; i++) {
    await w.clock.advance(10_000);
    w.feed.keepalive(100 + i, false);
  }
  assertEquals(w.feed.opened, 1);
  await w.clock.advance(45_000);
  assert(w.feed.opened > 1, "it was not opened again");
  assertEquals(w.feed.closed, w.feed.opened - 1);
});

test("[SY27] a hub that is closed leaves no timer behind", async () => {
  const w = fakeWorld({ lingerMs: 5000 });
  await w.settle();
  w.open().close();
  const other = w.open(2);
  await w.settle();
  const waiting = other.ready();
  await w.hub.close();
  await waiting;
  assertEquals(w.clock.pending, 0);
});
