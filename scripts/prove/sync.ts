/**
 * Sync under storms, on a server of its own:
 *
 *     npm run prove -- sync [--transactions=100000] [--loads=10000] [--cuts=6] [--only=fuzz,loads,cuts]
 *         [--seed=1]
 *
 * `fuzz`: two tenants, random moves, updates, deletes, truncates and cuts; no watch ever sees a foreign
 * row, every watch ends equal to its query. `loads`: watches opened under writes; no load lacks or
 * repeats anything. `cuts`: the stream cut every 1.5 s with a slot that stays; nothing missing, nothing
 * twice. Fails if anything is wrong.
 */
import process from "node:process";
import postgres from "postgres";
import { startPostgres } from "../../test/postgres/fixtures/server.ts";
import { cutsUnderWrites } from "../../test/sync/fixtures/cuts.ts";
import { fuzzTenants } from "../../test/sync/fixtures/fuzz.ts";
import { loadsUnderWrites } from "../../test/sync/fixtures/loads.ts";
import { worldOn } from "../../test/sync/fixtures/world.ts";

function option(name: string, fallback: string): string {
  const prefix = `--${name}=`;
  return process.argv.find((argument) => argument.startsWith(prefix))?.slice(prefix.length) ??
    fallback;
}

const only = option("only", "fuzz,loads,cuts").split(",");
const [transactions, loads, cuts] = [["transactions", 100_000], ["loads", 10_000], ["cuts", 6]]
  .map(([name, value]) => Number(option(String(name), String(value))));
const seed = Number(option("seed", "1"));
const server = await startPostgres({ fsync: "off", max_slot_wal_keep_size: "1GB" });
const sql = postgres(server.url, { max: 8, onnotice: () => {} });
const world = worldOn(server, sql);
const cleanups: (() => void | Promise<void>)[] = [];
const t = { defer: (cleanup: () => void | Promise<void>) => void cleanups.push(cleanup) };
let problems = 0;

function tell(what: string, wrong: readonly string[]): void {
  problems += wrong.length;
  console.log(`${what}: ${wrong.length} problems`);
  for (const line of wrong.slice(0, 5)) console.log(`  ${line.slice(0, 500)}`);
}

try {
  if (only.includes("fuzz")) {
    const fuzz = await fuzzTenants(server.url, {
      transactions: transactions!,
      seed,
      cuts: 20,
      progress: (done) => done % 10_000 === 0 && console.log(`  ${done} transactions`),
    });
    tell(`${fuzz.transactions} transactions, ${fuzz.looks} snapshots, 20 cuts`, fuzz.problems);
  }
  if (only.includes("loads")) {
    const result = await loadsUnderWrites(t, world, {
      loads: loads!,
      seed,
      progress: (done) => done % 2000 === 0 && console.log(`  ${done} loads`),
    });
    tell(`${result.loads} loads, ${result.changed} of them met a change`, result.wrong);
  }
  if (only.includes("cuts")) {
    const result = await cutsUnderWrites(t, world, {
      cuts: cuts!,
      pause: () => new Promise((resolve) => setTimeout(resolve, 1500)),
      slot: "staying",
    });
    const { written, missing, twice, wrong } = result;
    tell(
      `${cuts} cuts, ${written} rows, ${missing} missing, ${twice} twice, ${result.loads} loads`,
      missing + twice + wrong + result.loads === 0 ? [] : ["see above"],
    );
  }
} finally {
  for (const cleanup of cleanups.reverse()) await cleanup();
  await sql.end({ timeout: 1 });
  await server.stop();
}
process.exit(problems === 0 ? 0 : 1);
