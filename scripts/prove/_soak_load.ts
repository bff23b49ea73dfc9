// What the soak does to its servers, and what it has to find in the end.
import type { Sql } from "postgres";
import { connectDocument } from "../../adapters/document-client/mod.ts";
import type { ConnectedDocument } from "../../adapters/document-client/mod.ts";
import type { Tree, TreeOp } from "../../mod.ts";
import type { Counted } from "./_cluster_tally.ts";
import { LoadPage, type Tally } from "./_load_pages.ts";
import { Notes, type Row, tenants } from "./_soak_app.ts";

/** Tells where to go; another place after a restart. */
export type Where = () => string;

export const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

/** Pages that are clicked on; some stay, some come and go. */
export class Pages {
  readonly tally: Tally;
  readonly #where: readonly Where[];
  readonly #stay: LoadPage[] = [];
  visits = 0;
  clicks = 0;
  stored = 0;

  constructor(tally: Tally, where: readonly Where[]) {
    this.tally = tally;
    this.#where = where;
  }

  async stay(count: number, going: () => boolean): Promise<void> {
    for (let i = 0; i < count; i++) {
      const page = new LoadPage(this.tally, this.#at(i));
      await page.load();
      this.#stay.push(page);
    }
    while (going()) {
      for (const page of this.#stay) if (page.open && Math.random() < 0.3) page.click();
      await pause(300);
    }
    for (const page of this.#stay) await this.#check(page, this.#at(0));
  }

  /** Somebody comes, clicks, and goes: nothing of them may stay in memory. */
  async visit(going: () => boolean): Promise<void> {
    for (let i = 0; going(); i++) {
      const where = this.#at(i);
      const page = new LoadPage(this.tally, where);
      try {
        await page.load();
      } catch {
        // Nobody listens there at this moment.
        await pause(500);
        continue;
      }
      for (let n = 0; n < 3; n++) {
        if (page.open) page.click();
        await pause(300);
      }
      await this.#check(page, where);
      this.visits++;
      await pause(500);
    }
  }

  #at(i: number): Where {
    return this.#where[i % this.#where.length] ?? (() => "");
  }

  /** What was said to be stored is there, and nothing that was not sent. */
  async #check(page: LoadPage, where: Where): Promise<void> {
    // What was sent a moment ago may be on its way.
    await pause(500);
    page.close();
    await pause(100);
    const html = await textOf(`${where()}/counter`, page.cookie);
    const count = Number(/data-count="(\d+)"/.exec(html)?.[1]);
    this.clicks += page.sent;
    this.stored += page.stored;
    if (!(count >= page.stored && count <= page.sent)) {
      this.tally.errors.push(`${page.stored} clicks stored, ${page.sent} sent, ${count} there`);
    }
    if (html.includes('data-foreign="true"')) this.tally.errors.push("a page shows a foreign row");
  }
}

/** Answers, also when it has to be asked several times. */
async function textOf(url: string, cookie = ""): Promise<string> {
  for (let tries = 0;; tries++) {
    try {
      const response = await fetch(url, {
        headers: { cookie },
        signal: AbortSignal.timeout(10_000),
      });
      if (response.ok) return await response.text();
      if (tries === 20) throw new Error(`${url} answers ${response.status}`);
    } catch (error) {
      if (tries === 20) throw error;
    }
    await pause(500);
  }
}

export async function jsonOf<T>(url: string): Promise<T> {
  return JSON.parse(await textOf(url));
}

/** People who write to documents, each document from two nodes. */
export class Writers {
  readonly #documents: {
    readonly id: string;
    readonly by: readonly ConnectedDocument<Tree, TreeOp>[];
  }[];
  readonly #kept: Map<string, Set<string>> = new Map();
  readonly errors: string[] = [];
  accepted = 0;

  constructor(count: number, where: readonly string[]) {
    this.#documents = Array.from({ length: count }, (_, i) => ({
      id: `notes-${i}`,
      by: where.map((url) =>
        connectDocument({ definition: Notes, url: `${url}/notes/notes-${i}` })
      ),
    }));
  }

  async work(going: () => boolean): Promise<void> {
    const all = this.#documents.flatMap(({ id, by }) =>
      by.map((one, i) => this.#write(id, one, `${i}`, going))
    );
    await Promise.all(all);
  }

  /** Writes a note a second, and removes the one of fifty notes before. */
  async #write(
    id: string,
    document: ConnectedDocument<Tree, TreeOp>,
    name: string,
    going: () => boolean,
  ): Promise<void> {
    const kept = new Set<string>();
    this.#kept.set(`${id} ${name}`, kept);
    for (let n = 0; going(); n++) {
      await this.#do(document, {
        op: "put",
        nodes: [{ id: `${name}-${n}`, type: "note", attrs: { n }, parent: null }],
      });
      kept.add(`${name}-${n}`);
      const old = `${name}-${n - 50}`;
      if (kept.has(old)) {
        await this.#do(document, { op: "remove", id: old });
        kept.delete(old);
      }
      await pause(700 + Math.random() * 600);
    }
  }

  async #do(document: ConnectedDocument<Tree, TreeOp>, op: TreeOp): Promise<void> {
    const answer = await document.mutate(op);
    if (answer.status === "commit" || answer.status === "rectified") this.accepted++;
    else this.errors.push(`${JSON.stringify(op)}: ${JSON.stringify(answer)}`);
  }

  /** Everybody has the same, and what was accepted is in it. */
  async check(where: Where): Promise<void> {
    for (const { id, by } of this.#documents) {
      const stored = await jsonOf<Tree>(`${where()}/notes/${id}/state`);
      const wanted = by.flatMap((_, i) => [...this.#kept.get(`${id} ${i}`) ?? []]).sort();
      const there = Object.keys(stored.nodes).sort();
      if (there.join() !== wanted.join()) {
        this.errors.push(`${id} has ${there.length} notes, not ${wanted.length}`);
      }
      for (const one of by) {
        const { confirmed, pending } = one.getSnapshot();
        if (pending > 0 || Object.keys(confirmed.nodes).sort().join() !== there.join()) {
          this.errors.push(`a replica of ${id} differs, ${pending} operations pending`);
        }
        one.close();
      }
    }
  }
}

interface Report {
  readonly by: Readonly<Record<string, Counted>>;
  readonly count: number;
  readonly settled: number;
}

/** Workers who count, one number after the other. */
export class Counters {
  readonly #where: readonly Where[];
  readonly #tills: number;
  /** Numbers of which nobody knows what became, by till and worker. */
  readonly #unknown: Map<string, Set<number>> = new Map();
  readonly #last: Map<string, number> = new Map();
  readonly latencies: number[] = [];
  readonly errors: string[] = [];
  taken = 0;
  failed = 0;

  constructor(tills: number, where: readonly Where[]) {
    this.#tills = tills;
    this.#where = where;
  }

  async work(worker: string, going: () => boolean): Promise<void> {
    while (going()) {
      await this.#count(Math.floor(Math.random() * this.#tills), worker);
      await pause(150 + Math.random() * 100);
    }
  }

  async #count(till: number, worker: string): Promise<void> {
    const key = `${till} ${worker}`;
    const seq = (this.#last.get(key) ?? 0) + 1;
    this.#last.set(key, seq);
    const where = this.#where[Math.floor(Math.random() * this.#where.length)]?.() ?? "";
    const began = performance.now();
    const body = JSON.stringify({ worker, seq });
    const request = { method: "POST", body, signal: AbortSignal.timeout(30_000) };
    const ok = await fetch(`${where}/till/${till}`, request).then(({ ok }) => ok, () => false);
    if (ok) {
      this.taken++;
      this.latencies.push(performance.now() - began);
      return;
    }
    this.failed++;
    const unknown = this.#unknown.get(key) ?? new Set();
    this.#unknown.set(key, unknown.add(seq));
  }

  /** Every number that was acknowledged is there, once, and settled by an alarm. */
  async check(where: Where): Promise<void> {
    for (let till = 0; till < this.#tills; till++) {
      const { by, count, settled } = await jsonOf<Report>(`${where()}/till/${till}`);
      if (settled !== count) this.errors.push(`till ${till}: ${settled} of ${count} settled`);
      for (const [key, last] of this.#last) {
        const [id, worker = ""] = key.split(" ");
        if (Number(id) === till) this.#compare(key, last, by[worker]);
      }
    }
  }

  #compare(key: string, sent: number, counted: Counted | undefined): void {
    const { last, missing, twice } = counted ?? { last: 0, missing: [], twice: [] };
    const absent = [...missing, ...Array.from({ length: sent - last }, (_, i) => last + 1 + i)];
    const lost = absent.filter((seq) => this.#unknown.get(key)?.has(seq) !== true);
    if (lost.length > 0) this.errors.push(`${key}: ${lost.length} lost, ${lost.slice(0, 5)}`);
    if (twice.length > 0) this.errors.push(`${key}: ${twice.length} twice, ${twice.slice(0, 5)}`);
  }
}

/** Rows that change all the time. */
export class Rows {
  readonly #sql: Sql;
  readonly errors: string[] = [];
  transactions = 0;
  checks = 0;
  #resting = false;
  #busy = false;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  async make(): Promise<void> {
    await this.#sql`CREATE TABLE soak (
      id int PRIMARY KEY, tenant text NOT NULL, amount int NOT NULL)`;
  }

  async work(going: () => boolean): Promise<void> {
    const sql = this.#sql;
    while (going()) {
      await pause(50);
      if (this.#resting) continue;
      this.#busy = true;
      const id = Math.floor(Math.random() * 200);
      const tenant = tenants[Math.floor(Math.random() * tenants.length)] ?? "";
      // Inserts, changes, moves from one to the other, and removes.
      if (Math.random() < 0.2) await sql`DELETE FROM soak WHERE id = ${id}`;
      else {
        await sql`INSERT INTO soak VALUES (${id}, ${tenant}, 1)
          ON CONFLICT (id) DO UPDATE SET tenant = excluded.tenant, amount = soak.amount + 1`;
      }
      this.transactions++;
      this.#busy = false;
    }
  }

  /** With nobody writing, every node shows what is there. */
  async check(where: readonly Where[]): Promise<void> {
    this.#resting = true;
    while (this.#busy) await pause(10);
    for (const at of where) {
      for (let tries = 0; !await this.#same(at); tries++) {
        if (tries === 40) {
          this.errors.push(`rows of ${at()} differ from the table for 20 s`);
          break;
        }
        await pause(500);
      }
    }
    this.checks++;
    this.#resting = false;
  }

  async #same(where: Where): Promise<boolean> {
    const shown = await jsonOf<readonly { readonly value?: readonly Row[] }[]>(`${where()}/rows`);
    for (const [i, tenant] of tenants.entries()) {
      const rows = await this.#sql<Row[]>`SELECT * FROM soak WHERE tenant = ${tenant} ORDER BY id`;
      if (JSON.stringify(rows) !== JSON.stringify(shown[i]?.value)) return false;
    }
    return true;
  }

  /** Ends every stream, as a lost connection would. */
  async cut(): Promise<void> {
    await this.#sql`SELECT pg_terminate_backend(pid) FROM pg_stat_replication`;
  }
}
