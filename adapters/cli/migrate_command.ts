import { StorageUnavailableError } from "../../src/core/errors.ts";
import type { Storage } from "../../src/ports/storage.ts";
import { memoryStorage } from "../memory/mod.ts";
import {
  type MigratingStorage,
  migratingStorage,
  type MigrationPhase,
  type MigrationReport,
} from "../migrating/mod.ts";
import type { CliOutput, Command } from "./output.ts";
import {
  isSamePlace,
  onInterrupt,
  type Place,
  placeOf,
  STORAGE_HELP,
  withStorage,
} from "./storages.ts";
import { command, confirmed, type Given, type Outcome, UsageError } from "./verb.ts";
import { keyPages } from "./walk.ts";

const HELP = `holdfast migrate-storage FROM TO [options]

  Moves everything from one storage to another. Without --phase it does all of it, with the
  application stopped: copies, moves each record for good, and looks whether anything is left. Each
  moved key leaves a mark in FROM, which is of no use by itself afterwards; there is no way back but a
  migration in the other direction. May be interrupted and run again: it goes on. Asks first.

  --phase copying    one pass beside a running application whose migratingStorage() is in this
  --phase cutover    phase, in the order its documentation has
  --after KEY        goes on behind this key, as an interrupted pass has said; with --phase
  --verify           changes nothing; ends with 1 if the phase (or cutover) is not complete
  --dry-run          changes nothing; says how many records there are to move
  --concurrency N    keys at a time, 1 to 256 (16)
  --yes              does not ask; needed without a terminal and with --json
  --json             {"ok":true,"from":…,"to":…,"passes":[{"phase","keys","changed","after"}],
                     "report":{"complete","keys","pending","leftovers"}}; passes is [] where nothing
                     is changed, report is null after a single phase

${STORAGE_HELP}

Ends with 0, 1 if something is left or a storage failed, 2 if the arguments are wrong.`;

/** `holdfast migrate-storage FROM TO` */
export const migrateCommand: Command = command({
  help: HELP,
  options: {
    phase: { type: "string" },
    after: { type: "string" },
    verify: { type: "boolean" },
    "dry-run": { type: "boolean" },
    concurrency: { type: "string" },
    yes: { type: "boolean" },
  },
  words: [2, 2],
  run: async (given, output) => {
    const [from, to] = given.positionals.map((url) => placeOf(url, output.cwd)) as [Place, Place];
    const wanted = wantedOf(given);
    if (isSamePlace(from, to)) throw new UsageError("Cannot migrate: FROM and TO are the same");
    const stores = { from: from.shown, to: to.shown };
    if (wanted.look) {
      return await withStorage(from, false, (storage) => look(storage, to, wanted, stores));
    }
    const question = `Move everything from ${from.shown} to ${to.shown}?`;
    if (!await confirmed(given, output, question)) {
      const data = { ...stores, passes: [], report: null };
      return { ok: false, data, lines: ["Nothing moved"] };
    }
    return await withStorage(
      from,
      false,
      (source) => withStorage(to, true, (target) => move(source, target, wanted, output, stores)),
    );
  },
});

interface Wanted {
  readonly phase: MigrationPhase | undefined;
  readonly after: string | undefined;
  readonly look: "verify" | "dry-run" | undefined;
  readonly concurrency: number;
}

function wantedOf(given: Given): Wanted {
  const [phase, after, concurrency = 16] = [
    given.text("phase"),
    given.text("after"),
    given.number("concurrency"),
  ];
  if (phase !== undefined && phase !== "copying" && phase !== "cutover") {
    throw new UsageError("Cannot migrate: --phase is neither copying nor cutover");
  }
  if (after !== undefined && phase === undefined) {
    throw new UsageError("Cannot migrate: --after needs the --phase it was said in");
  }
  if (concurrency < 1 || concurrency > 256) {
    throw new UsageError("Cannot migrate: --concurrency is not 1 to 256");
  }
  const [verify, dry] = [given.flag("verify"), given.flag("dry-run")];
  if (verify && dry) throw new UsageError("Cannot migrate: --verify and --dry-run are two things");
  return { phase, after, look: verify ? "verify" : dry ? "dry-run" : undefined, concurrency };
}

type Shown = { readonly from: string; readonly to: string };

/** Changes nothing; a target that is not there yet is an empty one. */
async function look(from: Storage, to: Place, wanted: Wanted, shown: Shown): Promise<Outcome> {
  const use = (target: Storage) => report(from, target, wanted, shown);
  return to.isThere() ? await withStorage(to, false, use) : await use(memoryStorage());
}

async function report(
  from: Storage,
  to: Storage,
  { phase, look: what }: Wanted,
  shown: Shown,
): Promise<Outcome> {
  if (what === "dry-run") {
    const found = await migratingStorage({ from, to, phase: phase ?? "copying" }).verify();
    const lines = [`${found.pending} of ${found.keys} records to move`];
    return { data: { ...shown, passes: [], report: found }, lines };
  }
  const found = await verified(from, to, phase ?? "cutover");
  return {
    ok: found.complete,
    data: { ...shown, passes: [], report: found },
    lines: [lineOf(found)],
  };
}

/** Looks whether a phase is complete; before the copying nothing is. */
async function verified(
  from: Storage,
  to: Storage,
  phase: MigrationPhase,
): Promise<MigrationReport> {
  return await migratingStorage({ from, to, phase }).verify();
}

interface Pass {
  readonly phase: MigrationPhase;
  readonly keys: number;
  readonly changed: number;
  readonly after: string;
}

async function move(
  from: Storage,
  to: Storage,
  wanted: Wanted,
  output: CliOutput,
  shown: Shown,
): Promise<Outcome> {
  const total = await totalOf(from, output);
  const phases = wanted.phase === undefined ? ["copying", "cutover"] as const : [wanted.phase];
  const passes: Pass[] = [];
  for (const phase of phases) {
    const storage = migratingStorage({ from, to, phase });
    passes.push(await pass(storage, phase, wanted, total, output));
  }
  const lines = passes.map(({ phase, keys, changed }) =>
    `${phase}: ${keys} keys, ${changed} of them changed`
  );
  if (wanted.phase !== undefined) return { data: { ...shown, passes, report: null }, lines };
  const found = await verified(from, to, "cutover");
  return {
    ok: found.complete,
    data: { ...shown, passes, report: found },
    lines: [...lines, lineOf(found)],
  };
}

async function pass(
  storage: MigratingStorage,
  phase: MigrationPhase,
  { phase: only, after, concurrency }: Wanted,
  total: number,
  { progress, error }: CliOutput,
): Promise<Pass> {
  const interrupt = new AbortController();
  const done = onInterrupt(() => interrupt.abort(new Error("Cannot go on: interrupted")));
  const whole = only === undefined;
  let last = after;
  try {
    const end = await storage.migrate({
      concurrency,
      signal: interrupt.signal,
      ...(after === undefined ? {} : { after }),
      onProgress: (now) => {
        last = now.after;
        progress?.(bar(phase, now.keys, total));
      },
    });
    progress?.("");
    return { phase, ...end };
  } catch (cause) {
    progress?.("");
    // Only after what passes: a target that was in use is so the next time, too.
    const passes = interrupt.signal.aborted || cause instanceof StorageUnavailableError;
    // All of it goes on by itself when it is run again: what has moved is passed over.
    if (!passes) throw cause;
    // Nothing has moved where a store could not even be opened.
    const begun = last !== undefined || phase === "cutover" || interrupt.signal.aborted;
    if (whole && begun) error("What has moved stays moved: to go on, run the same again");
    else if (!whole && last !== undefined) error(`To go on: --phase ${phase} --after ${last}`);
    throw cause;
  } finally {
    done();
  }
}

/** Keys of the old storage, for the bar; without a terminal nobody looks at one. */
async function totalOf(from: Storage, { progress }: CliOutput): Promise<number> {
  let total = 0;
  if (progress === undefined) return total;
  for await (const page of keyPages(from, "")) total += page.length;
  return total;
}

const WIDTH = 30;

function bar(phase: string, keys: number, total: number): string {
  const share = total === 0 ? 1 : Math.min(1, keys / total);
  const full = Math.round(share * WIDTH);
  return `${phase.padEnd(8)} [${"#".repeat(full)}${"-".repeat(WIDTH - full)}] ${keys}/${total}`;
}

function lineOf({ complete, keys, pending, leftovers }: MigrationReport): string {
  return complete
    ? `Complete: ${keys} keys, nothing is left to move`
    : `Not complete: of ${keys} keys ${pending} are pending, ${leftovers} left over`;
}
