import { wrongArgument } from "../../src/core/options.ts";
import { SyncSetupError } from "../../src/sync/setup.ts";
import { parseLsn } from "../../src/sync/lsn.ts";
import { quoteName, quoteText, type ReplicationSql, type SyncRow } from "./sync_sql.ts";

/** A slot that outlives its connections. */
export interface SlotOptions {
  /** Its name: `[a-z0-9_]`, 1 to 63. Only one process at a time can use it. */
  readonly name: string;
  /** Have standbys keep it, so that it survives a failover; from Postgres 17. @default {false} */
  readonly failover?: boolean;
  /**
   * Accept a server without `max_slot_wal_keep_size`, whose disk fills up while nobody reads.
   *
   * @default {false}
   */
  readonly allowUnboundedWal?: boolean;
}

/** A slot, ready to be read. */
export interface ReadySlot {
  readonly name: string;
  /** The stream begins here. */
  readonly from: bigint;
  /** It was there before, and its history with it. */
  readonly known: boolean;
}

const NAME = /^[a-z0-9_]{1,63}$/;
const FAILOVER_VERSION = 170_000;

/**
 * Checks the name of a slot.
 *
 * @throws {TypeError} If it is none.
 */
export function checkSlotName(name: unknown): void {
  if (typeof name === "string" && NAME.test(name)) return;
  throw wrongArgument("Cannot sync: the name of the slot is not 1 to 63 of a-z, 0-9 and _");
}

/** Makes a slot that ends with its connection. Waits for every transaction that has written something. */
export async function temporarySlot(sql: ReplicationSql, name: string): Promise<ReadySlot> {
  const made = await sql.unsafe(
    `CREATE_REPLICATION_SLOT ${quoteName(name)} TEMPORARY LOGICAL pgoutput NOEXPORT_SNAPSHOT`,
  );
  return { name, from: parseLsn(String(made[0]?.["consistent_point"])), known: false };
}

/**
 * Finds a slot that outlives its connections, or makes it. One that the server had to give up is made
 * anew.
 *
 * @throws {SyncSetupError} If the server would keep the log for it without end.
 */
export async function permanentSlot(
  sql: ReplicationSql,
  options: SlotOptions,
): Promise<ReadySlot> {
  const { name } = options;
  await checkBound(sql, options);
  const [slot] = await sql.unsafe(
    "SELECT confirmed_flush_lsn::text AS lsn, wal_status AS status FROM pg_replication_slots " +
      `WHERE slot_name = ${quoteText(name)} AND database = current_database() ` +
      "AND plugin = 'pgoutput'",
  );
  if (slot !== undefined && slot["status"] !== "lost") {
    return { name, from: parseLsn(String(slot["lsn"])), known: true };
  }
  if (slot !== undefined) await sql.unsafe(`DROP_REPLICATION_SLOT ${quoteName(name)}`);
  const made = await create(sql, options);
  return { name, from: parseLsn(String(made?.["consistent_point"])), known: false };
}

async function create(
  sql: ReplicationSql,
  { name, failover = false }: SlotOptions,
): Promise<SyncRow | undefined> {
  const [server] = await sql.unsafe("SELECT current_setting('server_version_num') AS version");
  const able = Number(server?.["version"]) >= FAILOVER_VERSION;
  const how = failover && able ? "(SNAPSHOT 'nothing', FAILOVER true)" : "NOEXPORT_SNAPSHOT";
  const [made] = await sql.unsafe(
    `CREATE_REPLICATION_SLOT ${quoteName(name)} LOGICAL pgoutput ${how}`,
  );
  return made;
}

async function checkBound(
  sql: ReplicationSql,
  { name, allowUnboundedWal = false }: SlotOptions,
): Promise<void> {
  if (allowUnboundedWal) return;
  const [row] = await sql.unsafe(
    "SELECT setting FROM pg_settings WHERE name = 'max_slot_wal_keep_size'",
  );
  if (row?.["setting"] !== "-1") return;
  throw new SyncSetupError([{
    code: "wal_limit",
    message: `the server keeps its log without end for the slot "${name}" while nobody reads it; ` +
      'bound max_slot_wal_keep_size, or say "allowUnboundedWal"',
    sql: "ALTER SYSTEM SET max_slot_wal_keep_size = '4GB';\nSELECT pg_reload_conf();",
  }]);
}
