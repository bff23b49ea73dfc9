import type { Change, Transaction } from "./change.ts";
import type { Receiver } from "./receiver.ts";
import type { Ring } from "./ring.ts";
import type { Table } from "./table.ts";
import { type XidList, Xids } from "./xids.ts";

type ByKey = Map<string, Set<Receiver>>;

/** Who is to hear of the rows of which table and key. Nothing is ever handed to everybody (SPEC SY9). */
export class Routes {
  readonly #tables = new Map<Table, ByKey>();

  add(receiver: Receiver, tables: ReadonlySet<Table>, key: string): void {
    for (const table of tables) {
      const byKey: ByKey = this.#tables.get(table) ?? new Map();
      this.#tables.set(table, byKey);
      const receivers = byKey.get(key) ?? new Set();
      byKey.set(key, receivers.add(receiver));
    }
  }

  remove(receiver: Receiver, tables: ReadonlySet<Table>, key: string): void {
    for (const table of tables) {
      const byKey = this.#tables.get(table);
      const receivers = byKey?.get(key);
      receivers?.delete(receiver);
      if (receivers?.size === 0) byKey?.delete(key);
    }
  }

  /** The receivers a transaction concerns, each with its changes in order. */
  affected({ changes, overflowed }: Transaction): Map<Receiver, Change[]> {
    const affected = new Map<Receiver, Change[]>();
    for (const table of overflowed) {
      for (const receiver of this.#ofTable(table)) affected.set(receiver, []);
    }
    for (const change of changes) {
      for (const receiver of this.#of(change)) {
        const known = affected.get(receiver);
        if (known === undefined) affected.set(receiver, [change]);
        else known.push(change);
      }
    }
    return affected;
  }

  /** By the old and the new key: a row that moves leaves one and comes to the other. */
  #of(change: Change): Iterable<Receiver> {
    const { table } = change;
    // These say nothing about any row.
    if (change.kind === "truncate" || change.kind === "schema") return this.#ofTable(table);
    const byKey = this.#tables.get(table);
    if (byKey === undefined) return [];
    const was = change.kind === "insert" || change.before === undefined
      ? undefined
      : table.keyOf(change.before);
    const is = change.kind === "delete" ? undefined : table.keyOf(change.after);
    const before = was === undefined || was === is ? undefined : byKey.get(was);
    const after = is === undefined ? undefined : byKey.get(is);
    if (before === undefined) return after ?? [];
    return after === undefined ? before : new Set([...before, ...after]);
  }

  #ofTable(table: Table): Iterable<Receiver> {
    const byKey = this.#tables.get(table)?.values() ?? [];
    return new Set([...byKey].flatMap((receivers) => [...receivers]));
  }
}

/** What was handed out and concerns some keys, and what may: later queries may not see it yet. */
export function invisible(
  keys: readonly (readonly [Table, string])[],
  ring: Ring,
  suspects: Xids,
): XidList {
  const xids = new Xids();
  xids.addAll(ring.dropped.list());
  xids.addAll(suspects.list());
  const routes = new Routes();
  const nobody: Receiver = { deliver: () => {}, flush: () => {} };
  for (const [table, key] of keys) routes.add(nobody, new Set([table]), key);
  for (const transaction of ring.transactions) {
    if (routes.affected(transaction).size > 0) xids.add(transaction.xid);
  }
  return xids.list();
}
