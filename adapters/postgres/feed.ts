import type { Clock } from "../../src/ports/clock.ts";
import type { Feed, FeedConnection, FeedHandlers } from "../../src/ports/feed.ts";
import type { Random } from "../../src/ports/random.ts";
import type { SyncSlotEvent } from "../../src/ports/telemetry.ts";
import { LeaseTaken } from "../../src/sync/lease.ts";
import { explainFeed } from "./feed_failure.ts";
import { permanentSlot, type ReadySlot, type SlotOptions, temporarySlot } from "./slot.ts";
import { quoteName, quoteText, type ReplicationSql, type ReplicationStream } from "./sync_sql.ts";

/** What a {@linkcode ReplicationFeed} stands on. */
export interface FeedOptions {
  /** Makes a connection that speaks the replication protocol; connects on first use. */
  readonly connect: () => Promise<ReplicationSql>;
  readonly publication: string;
  /** The slot to use; `undefined` for one that ends with its connection. */
  readonly slot: SlotOptions | undefined;
  /** Names what only one connection may have at a time; the others fail with `LeaseTaken`. */
  readonly lease?: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly emit: (event: SyncSlotEvent) => void;
}

type After = Parameters<Feed["open"]>[1];

/** How often a slot that outlives its connections is looked at. */
const SLOT_EVERY_MS = 30_000;

/** The log of a database, through the replication protocol of the `postgres` package. */
export class ReplicationFeed implements Feed {
  readonly #options: FeedOptions;

  constructor(options: FeedOptions) {
    this.#options = options;
  }

  async open(handlers: FeedHandlers, after: After, signal: AbortSignal): Promise<FeedConnection> {
    const sql = await this.#options.connect();
    const end = (): void => void sql.end({ timeout: 0 });
    signal.addEventListener("abort", end, { once: true });
    try {
      signal.throwIfAborted();
      return await this.#stream(sql, handlers, after);
    } catch (error) {
      end();
      throw explainFeed(error);
    } finally {
      signal.removeEventListener("abort", end);
    }
  }

  async #stream(
    sql: ReplicationSql,
    handlers: FeedHandlers,
    after: After,
  ): Promise<FeedConnection> {
    const { publication, slot, lease } = this.#options;
    if (lease !== undefined) await takeLease(sql, lease);
    const [system] = await sql.unsafe("IDENTIFY_SYSTEM");
    const ready = slot === undefined
      ? await temporarySlot(sql, this.#name())
      : await permanentSlot(sql, slot);
    const epoch = this.#epoch(`${system?.["systemid"]}/${system?.["timeline"]}`, ready, after);
    // After the slot: who is under way now and commits later is in the stream.
    const [seen] = await sql.unsafe("SELECT pg_current_snapshot()::text AS snapshot");
    const stream = await sql.unsafe(
      `START_REPLICATION SLOT ${quoteName(ready.name)} LOGICAL 0/0 (proto_version '1', ` +
        `publication_names ${quoteText(quoteName(publication))})`,
    ).writable();
    const connection = new Connection(sql, stream, handlers, {
      epoch,
      from: ready.from,
      ...(!ready.known && { underway: String(seen?.["snapshot"]) }),
    });
    if (slot !== undefined) this.#observe(slot.name, connection);
    return connection;
  }

  #name(): string {
    const bytes = this.#options.random.bytes(8);
    const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    return `holdfast_${hex}`;
  }

  /** The history goes on if the slot was there, and has passed over nothing that we lack. */
  #epoch(system: string, slot: ReadySlot, after: After): string {
    const name = `${system}/${slot.name}`;
    const follows = slot.known && after?.epoch.startsWith(`${name}/`) && slot.from <= after.lsn;
    return follows ? after!.epoch : `${name}/${this.#name()}`;
  }

  /** Tells now and then how much of the log the server keeps for the slot. */
  #observe(name: string, connection: Connection): void {
    const { clock, emit, connect } = this.#options;
    const query = "SELECT wal_status AS status, coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), " +
      `restart_lsn), 0)::text AS bytes FROM pg_replication_slots WHERE slot_name = ${
        quoteText(name)
      }`;
    const look = async (): Promise<void> => {
      if (connection.ended) return;
      const sql = await connect();
      try {
        const [slot] = await sql.unsafe(query);
        const [status, retainedBytes] = [String(slot?.["status"]), Number(slot?.["bytes"])];
        emit({ name: "holdfast.sync.slot", status, retainedBytes });
      } catch {
        // The stream notices by itself what is the matter.
      } finally {
        void sql.end({ timeout: 0 });
      }
      clock.timer(SLOT_EVERY_MS, () => void look(), { background: true });
    };
    void look();
  }
}

/** The connection that has the lock has the lease, and gives it back by its end, however that comes. */
async function takeLease(sql: ReplicationSql, lease: string): Promise<void> {
  const [lock] = await sql.unsafe(
    `SELECT pg_try_advisory_lock(hashtextextended(${quoteText(lease)}, 0))::text AS taken`,
  );
  if (lock?.["taken"] !== "true") throw new LeaseTaken();
}

class Connection implements FeedConnection {
  readonly epoch: string;
  readonly from: bigint;
  readonly underway?: string;
  readonly #sql: ReplicationSql;
  readonly #stream: ReplicationStream;
  #ended = false;

  constructor(
    sql: ReplicationSql,
    stream: ReplicationStream,
    handlers: FeedHandlers,
    start: { readonly epoch: string; readonly from: bigint; readonly underway?: string },
  ) {
    this.epoch = start.epoch;
    this.from = start.from;
    if (start.underway !== undefined) this.underway = start.underway;
    this.#sql = sql;
    this.#stream = stream;
    const ended = (error?: unknown): void => {
      if (this.#ended) return;
      this.#ended = true;
      void sql.end({ timeout: 0 });
      handlers.ended(error ?? new Error("The stream has ended"));
    };
    // Listened to like this, and not as an iterator: one that is read in pieces of its own choosing
    // puts messages together on Node, and rows are lost.
    stream.on("data", (bytes) => {
      if (!this.#ended) handlers.message(bytes);
    });
    stream.on("error", ended);
    stream.on("close", ended);
  }

  get ended(): boolean {
    return this.#ended;
  }

  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  send(bytes: Uint8Array): void {
    if (!this.#ended) this.#stream.write(bytes);
  }

  async close(): Promise<void> {
    this.#ended = true;
    await this.#sql.end({ timeout: 0 });
  }
}
