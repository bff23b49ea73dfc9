import postgres from "postgres";
import type { Job, Written } from "./job.ts";

const NOW = "(extract(epoch FROM clock_timestamp()) * 1e6)::bigint";

const KILOBYTE = "repeat('a kilobyte of text ', 54)";

function statement(table: string, { notify = false, inserts = false }: Partial<Job>): string {
  // A query that does not end keeps the server from removing old rows, and every update, which has
  // to pass over them, takes longer than the one before.
  if (inserts) {
    return `INSERT INTO ${table} (org, n, at, note)
      SELECT g % 500 / 499, 0, ${NOW}, ${KILOBYTE} FROM generate_series($1::int, $2::int) AS g`;
  }
  const update = `UPDATE ${table} SET n = n + 1, at = ${NOW} WHERE id BETWEEN $1 AND $2`;
  if (!notify) return update;
  return `WITH new AS (${update} RETURNING at) SELECT pg_notify('measured', at::text) FROM new`;
}

/**
 * Updates rows, or adds some, at a rate, whoever keeps up; each says when it was written, by the
 * server's clock.
 */
export async function write(
  { url, rate = 100, seconds = 1, table = "measured", of = 20, rows = 1, ...job }: Job,
  ready: () => void,
): Promise<Written> {
  // Two transactions of many rows would wait for each other.
  const max = rows === 1 ? 8 : 1;
  const sql = postgres(url, { max, onnotice: () => {} });
  await Promise.all(Array.from({ length: max }, () => sql`SELECT pg_sleep(0.05)`));
  ready();
  const text = statement(table, job);
  const start = performance.now();
  const running = new Set<Promise<unknown>>();
  let sent = 0;
  while (performance.now() - start < seconds * 1000) {
    for (const due = (performance.now() - start) / 1000 * rate; sent < due; sent++) {
      // A server that does not keep up is not buried.
      if (running.size >= 100) break;
      const first = sent * rows % of;
      const one = sql.unsafe(text, [first, first + rows - 1]).execute();
      running.add(one);
      void one.then(() => running.delete(one));
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  const late = running.size;
  await Promise.all(running);
  const took = (performance.now() - start) / 1000;
  await sql.end();
  return { sent, late, perSecond: sent / took };
}
