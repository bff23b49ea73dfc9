import { join } from "node:path";
import { setImmediate } from "node:timers";
import * as t from "../harness/mod.ts";
import { type Database, openDatabase } from "../../adapters/sqlite/database.ts";
import {
  type Connection,
  isBusy,
  loadDriver,
  type Statement,
} from "../../adapters/sqlite/driver.ts";
import { GroupCommit } from "../../adapters/sqlite/group_commit.ts";
import { createVirtualClock, seededRandom } from "../../adapters/testing/mod.ts";
import { temp } from "./fixtures/temp.ts";

/** A group commit on a real database, and what happens around each of its commits. */
function committer(
  context: Parameters<typeof temp>[0],
  onCommit: (when: "before" | "after") => void,
) {
  const opened = openDatabase(join(temp(context), "s.db"));
  context.defer(() => opened.close());
  const commit: Statement = {
    ...opened.commit,
    run: () => {
      onCommit("before");
      const result = opened.commit.run();
      onCommit("after");
      return result;
    },
  };
  const database: Database = { ...opened, commit };
  let etags = 0;
  const commits = new GroupCommit({
    database: () => database,
    nextEtag: () => String(etags++),
    patience: { clock: createVirtualClock(), random: seededRandom(1), busyTimeoutMs: 0 },
  });
  const put = (key: string) => commits.add({ key, value: "v", conditions: {} });
  return { opened, commits, put };
}

/** Counts the commits of each turn of the event loop that has some. */
function countByTurn(context: Parameters<typeof temp>[0]) {
  const turns: number[] = [];
  let commits = 0;
  let ended = false;
  context.defer(() => void (ended = true));
  const turn = (): void => {
    if (commits > 0) turns.push(commits);
    commits = 0;
    if (!ended) setImmediate(turn);
  };
  setImmediate(turn);
  const on = committer(context, (when) => void (commits += when === "after" ? 1 : 0));
  /** What was counted, after a turn without a commit. */
  const counted = async (): Promise<readonly number[]> => {
    for (let n = 0; n < 3; n++) await new Promise<void>((resolve) => void setImmediate(resolve));
    return turns.splice(0);
  };
  return { ...on, counted };
}

t.test("[SQ1] the database has a write-ahead log, syncs every commit and does not wait by itself", (context) => {
  const database = openDatabase(join(temp(context), "s.db"));
  context.defer(() => database.close());
  const pragma = (name: string): unknown => {
    const statement = database.connection.prepare(`PRAGMA ${name}`);
    const row = statement.get() as object;
    statement.finalize?.();
    return Object.values(row)[0];
  };
  t.assertEquals(pragma("journal_mode"), "wal");
  t.assertEquals(pragma("synchronous"), 2);
  t.assertEquals(pragma("busy_timeout"), 0);
});

t.test("[SQ2] the writes of one turn are committed together", async (context) => {
  let count = 0;
  const { put } = committer(context, (when) => void (count += when === "after" ? 1 : 0));
  await Promise.all(Array.from({ length: 500 }, (_, n) => put(`k${n}`)));
  t.assertEquals(count, 1);
  // Their callers go on in one turn too.
  await Promise.all(Array.from({ length: 64 }, async (_, n) => {
    for (const again of [1, 2, 3]) await put(`k${n}/${again}`);
  }));
  t.assertEquals(count, 4);
});

t.test("[SQ2] a transaction has at most 1000 writes", async (context) => {
  let count = 0;
  const { put } = committer(context, (when) => void (count += when === "after" ? 1 : 0));
  await Promise.all(Array.from({ length: 2500 }, (_, n) => put(`k${n}`)));
  t.assertEquals(count, 3);
});

t.test("[SQ17] as many as were answered are committed in the same turn when they write again", async (context) => {
  const { put, counted } = countByTurn(context);
  for (const callers of [1, 64]) {
    await Promise.all(Array.from({ length: callers }, async (_, n) => {
      for (const again of [1, 2, 3]) await put(`k${n}/${again}`);
    }));
    t.assertEquals(await counted(), [3]);
  }
});

t.test("[SQ17] callers who are some promises away are waited for", async (context) => {
  const { put, counted } = countByTurn(context);
  await Promise.all(Array.from({ length: 8 }, async (_, n) => {
    await put(`k${n}/1`);
    for (let away = 0; away < n; away++) await Promise.resolve();
    await put(`k${n}/2`);
  }));
  t.assertEquals(await counted(), [2]);
});

t.test("[SQ17] fewer than were answered wait for what the next turn brings", async (context) => {
  const { put, counted } = countByTurn(context);
  await Promise.all([put("a"), put("b").then(() => put("c"))]);
  t.assertEquals(await counted(), [1, 1]);
});

t.test("[SQ18] the event loop has its turn after 8 transactions, or after 1000 writes", async (context) => {
  const { put, counted } = countByTurn(context);
  for (let n = 0; n < 24; n++) await put("k");
  t.assertEquals(await counted(), [8, 8, 8]);
  await Promise.all(Array.from({ length: 600 }, async (_, n) => {
    for (const again of [1, 2, 3]) await put(`k${n}/${again}`);
  }));
  t.assertEquals(await counted(), [2, 1]);
  await Promise.all(Array.from({ length: 2500 }, (_, n) => put(`k${n}`)));
  t.assertEquals(await counted(), [1, 1, 1]);
});

t.test("[SQ10] a file that another process creates while it is opened is not taken for somebody else's", (context) => {
  const path = join(temp(context), "s.db");
  const { prototype } = loadDriver() as unknown as { readonly prototype: Connection };
  const { prepare } = prototype;
  context.defer(() => void Object.assign(prototype, { prepare }));
  let meddled = false;
  const meddling = function (this: Connection, sql: string): Statement {
    if (sql === "PRAGMA user_version" && !meddled) {
      meddled = true;
      try {
        openDatabase(path).close();
      } catch (error) {
        // The other one is who waits: nothing may change between the first look and the last.
        t.assert(isBusy(error), String(error));
      }
    }
    return prepare.call(this, sql);
  };
  Object.assign(prototype, { prepare: meddling });
  openDatabase(path).close();
  t.assert(meddled);
});

t.test("[SQ3] no write is answered before its commit has returned", async (context) => {
  const events: string[] = [];
  const { put, commits } = committer(context, (when) => void events.push(when));
  const first = put("a").then(() => {
    events.push("answer a");
    return put("b").then(() => void events.push("answer b"));
  });
  await first;
  await commits.idle();
  t.assertEquals(events, ["before", "after", "answer a", "before", "after", "answer b"]);
});
