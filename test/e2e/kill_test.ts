import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { seededRandom } from "../../adapters/testing/mod.ts";
import { assert, assertEquals, test, type TestContext } from "../harness/mod.ts";
import { noteServer, orderWizard } from "./apps.ts";
import { type App, killUnderLoad } from "./kill.ts";

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), "holdfast-kill-"));
  t.defer(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

async function survives(app: App, plan: { kills: number; servers: number }): Promise<void> {
  const random = seededRandom(plan.kills);
  const tally = await killUnderLoad(app, { ...plan, workers: 4, random: () => random.number() });
  const { lost, doubled, strange, refused } = tally;
  assertEquals({ lost, doubled, strange, refused }, {
    lost: [],
    doubled: [],
    strange: [],
    refused: [],
  });
  assertEquals(tally.kills, plan.kills);
  assert(tally.acknowledged > plan.kills, "something was acknowledged before each kill");
  assert(tally.underLoad > 0, "some kill hit a request");
}

const options = { timeoutMs: 120_000 };

test("[EX8] what was acknowledged survives kills of the server, once", async (t) => {
  await survives(orderWizard(folder(t)), { kills: 6, servers: 1 });
}, options);

test("[EX9] two servers share a file, and each survives kills of the other", async (t) => {
  await survives(orderWizard(folder(t)), { kills: 4, servers: 2 });
}, options);

test(
  "[EX9] nothing is added twice when two servers write one session and are killed",
  async (t) => {
    await survives(noteServer(join(folder(t), "notes.db")), { kills: 4, servers: 2 });
  },
  options,
);
