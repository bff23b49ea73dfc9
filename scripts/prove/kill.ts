/**
 * npm run prove -- kill [--kills=200] [--app=wizard|notes] [--servers=1|2]
 *
 * Kills real servers under load and counts what was kept. Without arguments: 200 kills of the order
 * wizard, 60 of two order wizards on one file, and 40 of two note servers, whose list would show an
 * addition made twice.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { noteServer, orderWizard } from "../../test/e2e/apps.ts";
import { type KillTally, killUnderLoad } from "../../test/e2e/kill.ts";
import { runtime } from "../../test/e2e/process.ts";

interface Job {
  readonly app: string;
  readonly kills: number;
  readonly servers: number;
}

const { values } = parseArgs({
  options: { kills: { type: "string" }, app: { type: "string" }, servers: { type: "string" } },
});
const asked = Object.keys(values).length > 0;
const jobs: readonly Job[] = asked
  ? [{
    app: values.app ?? "wizard",
    kills: Number(values.kills ?? 200),
    servers: Number(values.servers ?? 1),
  }]
  : [
    { app: "wizard", kills: 200, servers: 1 },
    { app: "wizard", kills: 60, servers: 2 },
    { app: "notes", kills: 40, servers: 2 },
  ];

function problems({ lost, doubled, strange, refused }: KillTally): readonly string[] {
  const told = (what: string, list: readonly string[]) => list.map((one) => `${what}: ${one}`);
  return [
    ...told("lost", lost),
    ...told("doubled", doubled),
    ...told("strange", strange),
    ...told("refused", refused),
  ];
}

async function run({ app, kills, servers }: Job): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-kill-"));
  const start = performance.now();
  try {
    const tally = await killUnderLoad(
      app === "notes" ? noteServer(join(folder, "notes.db")) : orderWizard(folder),
      { kills, servers, workers: 4, random: Math.random },
    );
    const found = problems(tally);
    console.log(
      `${runtime}, ${app}, ${servers} server(s): ${tally.kills} kills, ${tally.underLoad} under load, ` +
        `${tally.acknowledged} acknowledged, ${tally.unanswered} unanswered ` +
        `(seen kept ${tally.unansweredKept}), ${tally.lost.length} lost, ` +
        `${tally.doubled.length} doubled, ${tally.strange.length} strange, ` +
        `${tally.refused.length} refused, ${Math.round((performance.now() - start) / 1000)} s`,
    );
    for (const problem of found.slice(0, 20)) console.error(`  ${problem}`);
    return found.length === 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

let fine = true;
for (const job of jobs) fine = await run(job) && fine;
process.exit(fine ? 0 : 1);
