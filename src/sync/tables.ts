import type { Relation } from "./relation.ts";
import { SyncSetupError } from "./setup.ts";
import { Table, type TableInfo } from "./table.ts";

/** What has become of some tables. */
export interface Renewed {
  /** They are set up, and what was not in the log meanwhile is unknown. */
  readonly ready: ReadonlySet<Table>;
  /** They are not set up any more. */
  readonly lost: ReadonlySet<Table>;
}

/** The watched tables. */
export class Tables implements Iterable<Table> {
  #byAlias: ReadonlyMap<string, Table> = new Map();

  /** By what the user calls them. */
  get byAlias(): ReadonlyMap<string, Table> {
    return this.#byAlias;
  }

  [Symbol.iterator](): Iterator<Table> {
    return this.#byAlias.values();
  }

  /** Takes all of them, for the first time. */
  describe(infos: readonly TableInfo[]): void {
    this.#byAlias = new Map(infos.map((info) => [info.alias, new Table(info)]));
  }

  /** Takes what the catalog says by now of those that are set up otherwise than they were. */
  renew(infos: readonly TableInfo[], changed: ReadonlySet<string>): Renewed {
    const [ready, lost] = [new Set<Table>(), new Set<Table>()];
    for (const info of infos) {
      const table = this.#byAlias.get(info.alias);
      if (table === undefined || !changed.has(info.alias)) continue;
      const before = table.ready;
      table.renew(info);
      if (table.ready) ready.add(table);
      else if (before) lost.add(table);
    }
    return { ready, lost };
  }

  /** The table that the log describes; `undefined` for one that nobody watches. */
  of({ schema, table }: Relation): Table | undefined {
    for (const one of this) if (one.info.schema === schema && one.info.name === table) return one;
    return undefined;
  }

  /** Those that have to be set up first. */
  get unready(): ReadonlySet<string> {
    return new Set([...this].filter(({ ready }) => !ready).map(({ info }) => info.alias));
  }

  /** What has to be put right of them; `undefined` if nothing has. */
  get wrong(): SyncSetupError | undefined {
    const problems = [...this].flatMap(({ info }) => info.problems ?? []);
    return problems.length === 0 ? undefined : new SyncSetupError(problems);
  }
}
