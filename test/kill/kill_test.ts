import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assert, assertEquals, skip, test, type TestContext } from "../harness/mod.ts";
import { noCeph } from "../s3/fixtures/ceph.ts";
import { cephBucket } from "../s3/fixtures/servers.ts";
import type { Flaw } from "./journal.ts";
import { killRound, type Kind, newTally, type Tally } from "./rounds.ts";
import type { Where } from "./stores.ts";

const options = { timeoutMs: 120_000 };

function path(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-kill-"));
  t.defer(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, "store");
}

async function killed(
  where: Where,
  rounds: number,
  flaw?: Flaw,
  kind?: Kind,
): Promise<Tally> {
  const tally = newTally();
  for (let round = 1; round <= rounds; round++) await killRound(where, round, tally, flaw, kind);
  return tally;
}

async function survives(where: Where, kind?: Kind): Promise<void> {
  const { kills, acknowledged, lost, doubled, unsettled } = await killed(where, 3, "none", kind);
  assertEquals({ kills, lost, doubled, unsettled }, {
    kills: 6,
    lost: 0,
    doubled: 0,
    unsettled: 0,
  });
  assert(acknowledged >= 60, "something was acknowledged before each kill");
}

test(
  "[OJ40] file: what an object acknowledged survives kills of its processes, once",
  (t) => survives({ store: "file", path: path(t) }),
  options,
);

test(
  "[OJ40] SQLite: what an object acknowledged survives kills of its processes, once",
  (t) => survives({ store: "sqlite", path: path(t) }),
  options,
);

test(
  "[DO23] SQLite: what a document acknowledged survives kills of its processes, once",
  (t) => survives({ store: "sqlite", path: path(t) }, "document"),
  options,
);

test("[DO23] what a document does twice would be noticed", async (t) => {
  const where: Where = { store: "sqlite", path: path(t) };
  const { lost, doubled } = await killed(where, 1, "twice", "document");
  assertEquals(lost, 0);
  assert(doubled > 0, "nothing was doubled");
}, options);

const onCeph = "[OJ40] Ceph: what an object acknowledged survives kills of its processes, once";
if (noCeph === undefined) {
  test(onCeph, async (t) => {
    const { place, remove } = await cephBucket();
    t.defer(remove);
    await survives({ store: "s3", place });
  }, options);
} else skip(onCeph, noCeph);

test("[OJ40] answers that leave before their write would be noticed", async (t) => {
  const { lost } = await killed({ store: "file", path: path(t) }, 1, "early");
  assert(lost > 0, "nothing was lost");
}, options);

test("[OJ40] what is done twice would be noticed", async (t) => {
  const { lost, doubled } = await killed({ store: "sqlite", path: path(t) }, 1, "twice");
  assertEquals(lost, 0);
  assert(doubled > 0, "nothing was doubled");
}, options);
