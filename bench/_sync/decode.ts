import process from "node:process";
import postgres from "postgres";
import { ReplicationFeed } from "../../adapters/postgres/feed.ts";
import { readText } from "../../adapters/postgres/read_text.ts";
import type { ReplicationSql } from "../../adapters/postgres/sync_sql.ts";
import { webClock } from "../../adapters/web/clock.ts";
import { webRandom } from "../../adapters/web/random.ts";
import { LogStream } from "../../src/sync/log_stream.ts";
import { Table } from "../../src/sync/table.ts";
import type { Decoded, Job } from "./job.ts";
import { recvlogical } from "./latency.ts";

export const columns: readonly { readonly name: string; readonly type: number }[] = [
  { name: "org", type: 23 },
  { name: "id", type: 23 },
  { name: "n", type: 23 },
  { name: "at", type: 20 },
  { name: "note", type: 25 },
];

/** Reads a backlog as fast as it can, and says how much that was. */
export async function decode({ url, by, slot = "", expect }: Job): Promise<Decoded> {
  const cpu = process.cpuUsage();
  const start = performance.now();
  const read = by === "holdfast" ? await ours(url, slot, expect!) : await theirs(url, slot);
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return { ...read, seconds, cpuSeconds: (user + system) / 1e6 };
}

type Read = Pick<Decoded, "rows" | "transactions">;

/** Transactions as the hub gets them, from the raw stream on. */
function ours(url: string, slot: string, expect: Read): Promise<Read> {
  const info = { alias: "bulk", schema: "public", name: "bulk", id: ["id"], key: "org" };
  const table = new Table({ ...info, keyType: "integer", columns });
  const [clock, random, emit] = [webClock(), webRandom(), () => {}];
  const feed = new ReplicationFeed({
    connect: () =>
      Promise.resolve(
        postgres(url, {
          max: 1,
          fetch_types: false,
          connection: { replication: "database" } as never,
        }) as unknown as ReplicationSql,
      ),
    publication: "holdfast",
    slot: { name: slot, allowUnboundedWal: true },
    clock,
    random,
    emit,
  });
  let [rows, transactions] = [0, 0];
  return new Promise((resolve, reject) => {
    const stream = new LogStream({
      feed,
      clock,
      random,
      emit,
      readText,
      tables: () => [table],
      tableOf: ({ table: name }) => name === "bulk" ? table : undefined,
      // All of them are kept until their commit.
      maxChanges: Infinity,
      statusEveryMs: 1000,
    }, {
      began: () => {},
      resumed: () => {},
      ended: reject,
      transaction: ({ changes }) => {
        rows += changes.length;
        if (changes.length > 0) transactions++;
        if (transactions < expect.transactions) return;
        void stream.close().then(() => resolve({ rows, transactions }));
      },
    });
    stream.start();
  });
}

/** Received and thrown away by Postgres' own program. */
async function theirs(url: string, slot: string): Promise<Read> {
  const sql = postgres(url, { max: 1 });
  const [now] = await sql`SELECT pg_current_wal_lsn()::text AS lsn`;
  await sql.end();
  const child = recvlogical(url, slot, "--endpos", now!["lsn"]);
  let bytes = 0;
  child.stdout.on("data", (chunk) => void (bytes += chunk.length));
  await new Promise((resolve) => child.once("close", resolve));
  return { rows: bytes, transactions: 0 };
}
