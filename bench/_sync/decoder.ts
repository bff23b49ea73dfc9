import { Buffer } from "node:buffer";
import process from "node:process";
import { codecOf } from "../../adapters/postgres/sync_codec.ts";
import { readText } from "../../adapters/postgres/read_text.ts";
import { webClock } from "../../adapters/web/clock.ts";
import { webRandom } from "../../adapters/web/random.ts";
import type { FeedHandlers } from "../../src/ports/feed.ts";
import type { Transaction } from "../../src/sync/change.ts";
import { LogStream } from "../../src/sync/log_stream.ts";
import { Routes } from "../../src/sync/routes.ts";
import { ChangeReader } from "../../src/sync/rows.ts";
import { Table } from "../../src/sync/table.ts";
import {
  bytes,
  framed,
  int16,
  int32,
  int64,
  text,
  tuple,
} from "../../test/sync/fixtures/messages.ts";
import { columns } from "./decode.ts";
import type { Decoded, Job } from "./job.ts";

/** Rows of one large transaction. */
const BULK = 20_000;
/** Bytes that a socket hands over at once. */
const CHUNK = 64 * 1024;

const RELATION = 1;
const OF_KEY = "7";

/** A row as the server sends it, in its envelope. */
function row(id: number): Uint8Array {
  const fields = [OF_KEY, String(id), "0", "1764313200000000", "as long as a title may be"];
  return framed(bytes("I", int32(RELATION), "N", tuple(...fields)));
}

const begin = framed(bytes("B", int64(0n), int64(0n), int32(700)));

function relation(): Uint8Array {
  const described = columns.map(({ name, type }) =>
    bytes(name === "org" || name === "id" ? "\x01" : "\0", text(name), int32(type), int32(-1))
  );
  const head = [int32(RELATION), text("public"), text("bulk"), "i", int16(columns.length)];
  return framed(bytes("R", ...head, ...described));
}

/** Messages in buffers as a socket fills them: each is a view of one. */
function received(messages: readonly Uint8Array[]): readonly Uint8Array[] {
  let [chunk, used] = [Buffer.alloc(CHUNK), 0];
  return messages.map((message) => {
    if (used + message.length > CHUNK) [chunk, used] = [Buffer.alloc(CHUNK), 0];
    chunk.set(message, used);
    used += message.length;
    return chunk.subarray(used - message.length, used);
  });
}

/** A stream whose messages come from memory. */
function stream(transaction: (transaction: Transaction) => void, table: Table) {
  let handlers: FeedHandlers | undefined;
  const opened = Promise.withResolvers<void>();
  const log = new LogStream({
    feed: {
      open: (given) => {
        handlers = given;
        const nothing = { send() {}, pause() {}, resume() {}, close: () => Promise.resolve() };
        return Promise.resolve({ epoch: "memory", from: 0n, underway: "1:1:", ...nothing });
      },
    },
    clock: webClock(),
    random: webRandom(),
    emit: () => {},
    readText,
    tables: () => [table],
    tableOf: () => table,
    maxChanges: Infinity,
    statusEveryMs: 1000,
  }, { began: () => opened.resolve(), resumed: () => {}, ended: opened.reject, transaction });
  log.start();
  return { opened: opened.promise, take: (message: Uint8Array) => handlers!.message(message), log };
}

/**
 * Decodes what is in memory, over and over: from the message of the stream to the transaction, and whom
 * it concerns; of rows somebody watches, to the row as well.
 */
export async function decoder({ seconds = 1, rows = 1, watched = false }: Job): Promise<Decoded> {
  const info = { alias: "bulk", schema: "public", name: "bulk", id: ["id"], key: "org" };
  const table = new Table({ ...info, keyType: "integer", columns });
  const routes = new Routes();
  const nobody = { deliver: () => {}, flush: () => {} };
  routes.add(nobody, new Set([table]), watched ? OF_KEY : "8");
  const reader = new ChangeReader(() => codecOf({ parsers: {}, transform: none }));
  let [done, read, transactions] = [0, 0, 0];
  const { opened, take, log } = stream((transaction) => {
    done += transaction.changes.length;
    transactions++;
    for (const changes of routes.affected(transaction).values()) {
      for (const change of changes) {
        if (change.kind !== "insert") continue;
        const { row } = reader.readerOf(change.relation).read(change.after);
        if ("note" in row) read++;
      }
    }
  }, table);
  await opened;
  const count = rows === 1 ? 1000 : BULK;
  const inserts = received(Array.from({ length: count }, (_, id) => row(id)));
  const end = framed(bytes("C", "\0", int64(0n), int64(0n), int64(0n)));
  const place = new DataView(end.buffer, end.byteOffset);
  take(begin);
  take(relation());
  let lsn = 0n;
  const commit = (): void => {
    // One that was there before is passed over.
    place.setBigUint64(27, ++lsn);
    place.setBigUint64(35, lsn);
    take(end);
  };
  commit();
  const round = (): void => {
    if (rows > 1) take(begin);
    for (const insert of inserts) {
      if (rows === 1) take(begin);
      take(insert);
      if (rows === 1) commit();
    }
    if (rows > 1) commit();
  };
  const during = (ms: number): Decoded => {
    [done, read, transactions] = [0, 0, 0];
    const [cpu, start] = [process.cpuUsage(), performance.now()];
    while (performance.now() - start < ms) round();
    const took = performance.now() - start;
    const { user, system } = process.cpuUsage(cpu);
    return { rows: done, transactions, seconds: took / 1000, cpuSeconds: (user + system) / 1e6 };
  };
  during(300);
  const decoded = during(seconds * 1000);
  if (done === 0 || read !== (watched ? done : 0)) throw new Error("rows are missing");
  await log.close();
  return decoded;
}

const none = { column: {}, value: {}, row: {} };
