import { setImmediate } from "node:timers";
import { type Connection, loadDriver } from "../../adapters/sqlite/driver.ts";
import { OBJECTS, type Subject } from "./subject.ts";

const names = Array.from({ length: OBJECTS }, (_, n) => `user-${n}`);

function open(path: string): Connection {
  const Driver = loadDriver();
  const connection = new Driver(path);
  connection.exec("PRAGMA journal_mode = WAL");
  connection.exec("PRAGMA synchronous = FULL");
  connection.exec("PRAGMA wal_autocheckpoint = 4000");
  connection.exec("CREATE TABLE counter (key TEXT PRIMARY KEY, count INTEGER NOT NULL)");
  return connection;
}

const SAVE = "INSERT INTO counter (key, count) VALUES (?, ?) " +
  "ON CONFLICT (key) DO UPDATE SET count = excluded.count";

interface Waiting {
  readonly key: string;
  readonly count: number;
  readonly answer: (count: number) => void;
}

/**
 * The least that could be done durably in SQLite: a map of counters, written as a number, answered
 * after the commit. No compare-and-set, no versions, no state but a number.
 *
 * @param grouped All of one turn of the event loop in one transaction; else one for each.
 */
export function bareSqlite(path: string, grouped: boolean): Subject {
  const connection = open(path);
  const save = connection.prepare(SAVE);
  const begin = connection.prepare("BEGIN IMMEDIATE");
  const commit = connection.prepare("COMMIT");
  const counts = new Map<string, number>();
  let queue: Waiting[] = [];
  const flush = (): void => {
    const batch = queue;
    queue = [];
    begin.run();
    for (const { key, count } of batch) save.run(key, count);
    commit.run();
    for (const { count, answer } of batch) answer(count);
  };
  const increment = (counter: number): Promise<number> => {
    const key = names[counter] ?? "";
    const count = (counts.get(key) ?? 0) + 1;
    counts.set(key, count);
    if (!grouped) {
      save.run(key, count);
      return Promise.resolve(count);
    }
    return new Promise((answer) => {
      if (queue.push({ key, count, answer }) === 1) setImmediate(flush);
    });
  };
  return {
    increment,
    close: () => {
      for (const statement of [save, begin, commit]) statement.finalize?.();
      return Promise.resolve(connection.close());
    },
  };
}

/** A mailbox per counter and nothing behind it: what a promise per call costs. */
export function bareMailbox(): Subject {
  const counts = names.map(() => 0);
  const mailboxes: { readonly waiting: (() => void)[]; running: boolean }[] = names.map(() => ({
    waiting: [],
    running: false,
  }));
  const run = (counter: number): void => {
    const mailbox = mailboxes[counter];
    if (mailbox === undefined || mailbox.running) return;
    mailbox.running = true;
    for (let next = mailbox.waiting.shift(); next; next = mailbox.waiting.shift()) next();
    mailbox.running = false;
  };
  return {
    increment: (counter) =>
      new Promise((resolve) => {
        mailboxes[counter]?.waiting.push(() => {
          const count = (counts[counter] ?? 0) + 1;
          counts[counter] = count;
          resolve(count);
        });
        run(counter);
      }),
    close: () => Promise.resolve(),
  };
}
