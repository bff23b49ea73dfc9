import { assert, assertEquals, assertRejects, test } from "../harness/mod.ts";
import { SyncSetupError } from "../../src/sync/setup.ts";
import type { TableColumn, TableInfo } from "../../src/sync/table.ts";
import {
  begin,
  commit,
  type FakeWorld,
  fakeWorld,
  insert,
  relation,
  things,
  update,
} from "./fixtures/fake.ts";
import { bytes, int16, int32, text, tuple } from "./fixtures/messages.ts";

const others: TableInfo = { ...things, alias: "others", name: "others" };
const wrong: TableInfo = {
  ...others,
  columns: [],
  problems: [{ code: "identity", message: "it has none", sql: "ALTER TABLE others" }],
};

function codeOf(error: unknown): unknown {
  return (error as { readonly code?: unknown } | undefined)?.code;
}

/** How often it was loaded since the last time. */
function counter(w: FakeWorld): () => number {
  let before = w.database.loads;
  return () => {
    const { loads } = w.database;
    const more = loads - before;
    before = loads;
    return more;
  };
}

test("[SY42] a table that is not set up at the start keeps no watch of another from being live", async () => {
  const w = fakeWorld({}, [things, wrong]);
  await w.settle();
  const [good, bad, both] = [
    w.open(),
    w.open(1, { table: "others" }),
    w.open(1, {
      load: () => [],
      uses: ["others"],
    }),
  ];
  await assertRejects(() => bad.ready(), "ERR_SYNC_SETUP");
  await good.ready();
  const look = (): readonly unknown[] =>
    [good, bad, both].map((watch) => watch.getSnapshot().status);
  assertEquals(look(), ["live", "loading", "loading"]);
  assertEquals([w.hub.status.state, codeOf(w.hub.status.error)], ["live", "ERR_SYNC_SETUP"]);
  await assertRejects(() => w.hub.ready(), "ERR_SYNC_SETUP");
  // Telemetry is told once, however often it is looked at.
  await w.clock.advance(60_000);
  assertEquals(w.events.filter(({ name }) => name === "holdfast.sync.failed").length, 1);
  // It is put right by what is in no text, such as a privilege.
  const loads = counter(w);
  w.database.infos = [things, others];
  await w.clock.advance(3000);
  assertEquals([...look(), loads()], ["live", "live", "live", 2]);
  await w.hub.ready();
  assertEquals(w.hub.status, { state: "live" });
});

test("[SY42] a table that is not set up any more makes its own watches stale, and no other", async () => {
  const w = fakeWorld({ checkEveryMs: 1000 }, [things, others]);
  await w.settle();
  const [good, bad, both] = [
    w.open(),
    w.open(1, { table: "others" }),
    w.open(1, { with: { inner: { table: "others", by: "id" } } }),
  ];
  await w.settle();
  const look = (): readonly unknown[] =>
    [good, bad, both].map((watch) => watch.getSnapshot().status);
  assertEquals(look(), ["live", "live", "live"]);
  w.database.infos = [things, wrong];
  w.database.sets["others"] = "identity lost";
  const loads = counter(w);
  await w.clock.advance(1000);
  assertEquals([...look(), w.hub.status.state, loads()], ["live", "stale", "stale", "live", 0]);
  const { error } = w.hub.status;
  assert(error instanceof SyncSetupError && error.message.includes("ALTER TABLE others"));
  // A cut, and a watch that loads, do not make it live.
  w.feed.cut();
  await w.clock.advance(1000);
  w.feed.epoch = "two";
  w.feed.cut();
  await w.clock.advance(1000);
  assertEquals(look(), ["live", "stale", "stale"]);
  loads();
  w.database.infos = [things, others];
  w.database.sets["others"] = "";
  await w.clock.advance(1000);
  assertEquals([...look(), loads()], ["live", "live", "live", 2]);
});

test("[SY42] what is set up otherwise has the watches of its table load, and no other", async () => {
  const w = fakeWorld({ checkEveryMs: 1000 }, [things, others]);
  await w.settle();
  w.open();
  w.open(1, { table: "others" });
  await w.settle();
  const loads = counter(w);
  w.database.sets["others"] = "otherwise";
  await w.clock.advance(5000);
  assertEquals(loads(), 1);
});

const wider = [...things.columns, { name: "more", type: 25 }];

test("[SY43] columns that come cost each watch of the table one load, and no other any", async () => {
  const w = fakeWorld({}, [things, others]);
  await w.settle();
  w.feed.commit(20, 100, insert("1", "1", "a"));
  const watches = [w.open(1), w.open(2)];
  w.open(1, { table: "others" });
  await w.settle();
  const loads = counter(w);
  w.database.infos = [{ ...things, columns: wider }, others];
  w.database.sets["things"] = "wider";
  Object.assign(w.database.seen, { snapshot: "40:40:", lsn: 900 });
  w.feed.raw(begin(30, 800), relation(wider), bytes("I", int32(1), "N", tuple("1", "2", "b", "c")));
  w.feed.raw(commit(800));
  await w.clock.advance(60_000);
  assertEquals(loads(), 2);
  assertEquals(watches.map((one) => one.getSnapshot().status), ["live", "live"]);
});

test("[SY43] columns that a look has found cost no load more when the log comes to them", async () => {
  const w = fakeWorld({ checkEveryMs: 1000 });
  await w.settle();
  w.feed.commit(20, 100, insert("1", "1", "a"));
  Object.assign(w.database.seen, { snapshot: "30:30:", lsn: 700, value: [] });
  const watch = w.open(1);
  await w.settle();
  const loads = counter(w);
  w.database.infos = [{ ...things, columns: wider }];
  w.database.sets["things"] = "wider";
  await w.clock.advance(1000);
  assertEquals(loads(), 1);
  w.feed.raw(begin(30, 800), relation(wider), bytes("I", int32(1), "N", tuple("1", "2", "b", "c")));
  w.feed.raw(commit(800));
  await w.clock.advance(5000);
  const row = { org: 1, id: 2, title: "b", more: "c" };
  assertEquals([loads(), watch.getSnapshot().value as unknown], [0, [row]]);
});

test("[SY43] a change of columns that queries do not see yet is loaded all the same", async () => {
  const w = fakeWorld();
  await w.settle();
  w.feed.commit(20, 100, insert("1", "1", "a"));
  const watch = w.open(1);
  await w.settle();
  const loads = counter(w);
  Object.assign(w.database.seen, { snapshot: "30:31:30", lsn: 900 });
  w.feed.raw(begin(30, 800), relation(wider), bytes("I", int32(1), "N", tuple("1", "2", "b", "c")));
  w.feed.raw(commit(800));
  await w.clock.advance(1000);
  const value = [{ org: 1, id: 2, title: "b", more: "c" }];
  Object.assign(w.database.seen, { snapshot: "40:40:", lsn: 900, value });
  w.database.infos = [{ ...things, columns: wider }];
  w.database.sets["things"] = "wider";
  await w.clock.advance(20_000);
  assertEquals(watch.getSnapshot().value as unknown, value);
  assert(loads() <= 4, "it is loaded over and over");
});

test("[SY43] a table that is described again and looks the same is looked at soon, once", async () => {
  const w = fakeWorld({ checkEveryMs: 3_600_000 });
  await w.settle();
  w.feed.commit(20, 100, insert("1", "1", "a"));
  Object.assign(w.database.seen, { snapshot: "31:31:", lsn: 900, value: [] });
  const watch = w.open(1);
  await w.settle();
  const loads = counter(w);
  const { looks } = w.database;
  w.database.sets["things"] = "another column of the same name";
  const value = [{ org: 1, id: 1, title: "new" }];
  Object.assign(w.database.seen, { value });
  w.feed.raw(begin(30, 800), relation(), insert("1", "2", "b"), commit(800));
  await w.clock.advance(1000);
  assertEquals([loads(), w.database.looks - looks, watch.getSnapshot().value as unknown], [
    1,
    1,
    value,
  ]);
  // It was nothing: who analyzes tables all the time costs no more than one look.
  for (let i = 0; i < 20; i++) {
    const lsn = 1000 + 10 * i;
    w.feed.raw(begin(40 + i, lsn), relation(), update("1", "1", "c"), commit(lsn));
    await w.clock.advance(1000);
  }
  assertEquals([loads(), w.database.looks - looks], [0, 2]);
});

test("[SY43] loads do not wait for looks without end, however often the log gives a reason", async () => {
  const w = fakeWorld();
  await w.settle();
  const watch = w.open(1);
  await w.settle();
  let [wide, late] = [false, watch];
  for (let i = 0; i < 20; i++) {
    wide = !wide;
    // It comes to its turn in the midst of all this.
    if (i === 10) late = w.open(2);
    const fields = wide ? ["1", "2", "b", "c"] : ["1", "2", "b"];
    w.feed.raw(
      begin(30 + i, 800 + 10 * i),
      relation(wide ? wider : things.columns),
      bytes("I", int32(1), "N", tuple(...fields)),
      commit(800 + 10 * i),
    );
    w.database.sets["things"] = `${i}`;
    Object.assign(w.database.seen, { snapshot: `${31 + i}:${31 + i}:`, lsn: 805 + 10 * i });
    await w.clock.advance(400);
  }
  assertEquals(late.getSnapshot().status, "live");
  await w.clock.advance(2000);
  assertEquals(watch.getSnapshot().status, "live");
  assert(w.database.looks < 30, `${w.database.looks} looks`);
});

test("[SY43] a column that comes again at another place costs one load, though a look finds nothing", async () => {
  const w = fakeWorld();
  await w.settle();
  w.feed.commit(20, 100, insert("1", "1", "a"));
  w.open(1);
  await w.settle();
  const loads = counter(w);
  const [org, id, title] = things.columns as [TableColumn, TableColumn, TableColumn];
  Object.assign(w.database.seen, { snapshot: "40:40:", lsn: 900 });
  w.feed.raw(begin(30, 800), relation([org, title, id]), insert("1", "b", "2"), commit(800));
  await w.clock.advance(5000);
  assertEquals(loads(), 1);
});

test("[SY43] a load waits for a look that is under way, and for the one after it that has a reason", async () => {
  const w = fakeWorld({ checkEveryMs: 1000 }, [things, others]);
  await w.settle();
  w.feed.commit(20, 100, insert("1", "1", "a"));
  w.open(1);
  await w.settle();
  const looks: (() => void)[] = [];
  w.database.setup = () =>
    new Promise((resolve) =>
      void looks.push(() => resolve(new Map([["things", "up"], ["others", w.database.set]])))
    );
  const change = (xid: number, columns: readonly TableColumn[]): void => {
    w.feed.raw(begin(xid, xid * 10), relation(columns), commit(xid * 10));
  };
  Object.assign(w.database.seen, { snapshot: "90:90:", lsn: 900 });
  const loads = counter(w);
  // One that a reason has led to: whoever loads now waits for it.
  change(30, wider);
  await w.clock.advance(60);
  assertEquals(looks.length, 1);
  const second = w.open(2);
  await w.settle();
  assertEquals(loads(), 0);
  // Another reason, which this one may be too early to see.
  change(31, things.columns);
  await w.settle();
  // Something is found, and it is not that: the log is asked for reasons again.
  w.database.set = "seen";
  looks.shift()!();
  await w.settle();
  assertEquals(loads(), 0);
  await w.clock.advance(600);
  // And another one: it does not wait for a third.
  change(32, wider);
  await w.settle();
  w.database.set = "seen as well";
  looks.shift()!();
  await w.clock.advance(20);
  assertEquals([looks.length, loads() > 0, second.getSnapshot().status], [0, true, "live"]);
});

test("[SY42] [SY43] whatever reasons the log gives, it is looked twice a second at most, and less for what is not set up", async () => {
  for (const infos of [[things, others], [{ ...wrong, alias: "things", name: "things" }, others]]) {
    const w = fakeWorld({ checkEveryMs: 3_600_000 }, infos);
    await w.settle();
    w.open(1, { table: "others" });
    await w.settle();
    const { looks } = w.database;
    for (let i = 0; i < 60; i++) {
      w.database.sets["things"] = `${i}`;
      w.feed.raw(
        begin(30 + i, 800 + 10 * i),
        relation(i % 2 === 0 ? wider : things.columns),
        commit(800 + 10 * i),
      );
      await w.clock.advance(100);
    }
    const ready = infos[0] === things;
    const most = ready ? 13 : 3;
    assert(w.database.looks - looks <= most, `${w.database.looks - looks} looks, ready: ${ready}`);
  }
});

const parted: TableInfo = { ...things, partitioned: true, parts: [2] };

test("[SY39] a partition that came without being set up and went leaves its table as it was", async () => {
  const w = fakeWorld({ checkEveryMs: 3_600_000 }, [parted, others]);
  await w.settle();
  const watch = w.open(1);
  await w.settle();
  const part = (id: number, mark: string): Uint8Array => {
    const columns = things.columns.map(({ name, type }) =>
      bytes(name === "id" ? "\x01" : mark, text(name), int32(type), int32(-1))
    );
    return bytes("R", int32(id), text("public"), text(`p${id}`), "d", int16(3), ...columns);
  };
  const overflows = (): number =>
    w.events.filter((event) =>
      event.name === "holdfast.sync.invalidate" && event.reason === "overflow"
    ).length;
  const change = async (xid: number, ...before: readonly Uint8Array[]): Promise<void> => {
    const lsn = xid * 10;
    Object.assign(w.database.seen, { snapshot: `${xid + 1}:${xid + 1}:`, lsn: lsn + 5 });
    const delete_ = bytes("D", int32(1), "K", tuple("1", "9", null));
    w.feed.raw(begin(xid, lsn), ...before, delete_, commit(lsn));
    await w.clock.advance(1000);
  };
  const loads = counter(w);
  // It has gone by the time it is looked for, and nothing that is looked at is otherwise.
  await change(30, relation(), part(7, "\0"));
  assertEquals([overflows(), watch.getSnapshot().status], [1, "live"]);
  assert(loads() >= 1, "what it had is not shown any more");
  await change(31);
  await change(32);
  assertEquals([overflows(), loads()], [1, 0]);
  // One that is set up has rows that go with it, too.
  await change(33, relation(), part(8, "\x01"));
  assertEquals([overflows(), loads()], [1, 1]);
});
