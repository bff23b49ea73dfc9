/**
 * Kills processes whose objects store to one place, over and over, and looks after each round whether
 * everything acknowledged is there, once, and settled by one alarm:
 *
 *     npm run prove -- kill_objects [--store=file|sqlite|postgres|s3] [--rounds=100] [--flaw=early|twice]
 *         [--kind=object|document]
 *
 * A round kills two processes. Without a store: file and SQLite. A flaw has to be found: the script
 * then fails if nothing is. Postgres runs without synchronous_commit, so that a commit which does not
 * insist would be lost; S3 needs the fixture.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import type { Flaw } from "../../test/kill/journal.ts";
import { killRound, type Kind, newTally } from "../../test/kill/rounds.ts";
import type { Where } from "../../test/kill/stores.ts";
import { runtime } from "../../test/e2e/process.ts";
import { startPostgres } from "../../test/postgres/fixtures/server.ts";
import { noCeph } from "../../test/s3/fixtures/ceph.ts";
import { cephBucket } from "../../test/s3/fixtures/servers.ts";

interface Opened {
  readonly where: Where;
  readonly remove: () => Promise<void>;
}

async function open(store: string): Promise<Opened> {
  if (store === "postgres") {
    const server = await startPostgres({ synchronous_commit: "off" });
    return { where: { store, url: server.url }, remove: () => server.stop() };
  }
  if (store === "s3") {
    if (noCeph !== undefined) throw new Error(`Cannot prove it here: ${noCeph}`);
    const { place, remove } = await cephBucket();
    return { where: { store, place }, remove };
  }
  if (store !== "file" && store !== "sqlite") throw new TypeError(`There is no store "${store}"`);
  const folder = mkdtempSync(join(tmpdir(), "holdfast-kill-"));
  const remove = (): Promise<void> =>
    Promise.resolve(rmSync(folder, { recursive: true, force: true }));
  return { where: { store, path: join(folder, "store") }, remove };
}

async function prove(
  store: string,
  rounds: number,
  flaw: Flaw,
  kind: Kind,
): Promise<boolean> {
  const { where, remove } = await open(store);
  const tally = newTally();
  const start = performance.now();
  try {
    for (let round = 1; round <= rounds; round++) await killRound(where, round, tally, flaw, kind);
  } finally {
    await remove();
  }
  const { kills, acknowledged, unanswered, lost, doubled, unsettled } = tally;
  console.log(
    `${runtime}, ${kind}, ${store}${flaw === "none" ? "" : `, flaw "${flaw}"`}: ${kills} kills, ` +
      `${acknowledged} acknowledged, ${unanswered} kept unanswered, ${lost} lost, ` +
      `${doubled} doubled, ${unsettled} not settled once, ` +
      `${Math.round((performance.now() - start) / 1000)} s`,
  );
  const clean = lost + doubled + unsettled === 0;
  return flaw === "none" ? clean && acknowledged > 0 : !clean;
}

const { values } = parseArgs({
  options: {
    store: { type: "string" },
    rounds: { type: "string", default: "100" },
    flaw: { type: "string", default: "none" },
    kind: { type: "string", default: "object" },
  },
});
const stores = values.store === undefined ? ["file", "sqlite"] : [values.store];
let fine = true;
for (const store of stores) {
  // Anything else is no flaw that the writer knows.
  const { flaw, kind } = values as { flaw: Flaw; kind: Kind };
  fine = await prove(store, Number(values.rounds), flaw, kind) && fine;
}
process.exit(fine ? 0 : 1);
