import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { Flaw, JournalState } from "./journal.ts";
import { Pad } from "./pad.ts";
import { openRoot, type Where } from "./stores.ts";

/** What the processes write to. */
export type Kind = "object" | "document";

/** What was counted. */
export interface Tally {
  /** Processes that were killed while they wrote. */
  kills: number;
  acknowledged: number;
  /** There without having been acknowledged: the answer was cut. */
  unanswered: number;
  /** Acknowledged and not there. */
  lost: number;
  /** There more than once. */
  doubled: number;
  /** Not settled by exactly one alarm. */
  unsettled: number;
}

/** A process that writes until it is killed. */
interface Writer {
  readonly child: ChildProcess;
  /** Ids it has acknowledged so far. */
  readonly ids: string[];
  readonly ended: Promise<void>;
}

function startWriter(args: readonly string[], heard: () => void): Writer {
  const script = fileURLToPath(new URL("./writer.ts", import.meta.url));
  const before = "Deno" in globalThis ? ["run", "-A", "--no-check", "--quiet"] : [];
  const child = spawn(process.execPath, [...before, script, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ids: string[] = [];
  let partial = "";
  child.stdout.on("data", (chunk: Uint8Array) => {
    const parts = (partial + chunk).split("\n");
    partial = parts.pop() ?? "";
    ids.push(...parts);
    heard();
  });
  const ended = new Promise<void>((resolve) => {
    // Heard as well: nobody shall wait for what a writer that is gone has to say.
    const end = (): void => (heard(), resolve());
    child.on("error", end).on("close", end);
  });
  return { child, ids, ended };
}

/** Ended, killed, or never started. */
function isGone({ exitCode, signalCode, pid }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null || pid === undefined;
}

/** Makes an empty tally. */
export function newTally(): Tally {
  return { kills: 0, acknowledged: 0, unanswered: 0, lost: 0, doubled: 0, unsettled: 0 };
}

/**
 * Two processes write to one journal. The first is killed anywhere in its life, the second one goes on
 * and is killed, too; then a third looks at what is there.
 */
export async function killRound(
  where: Where,
  round: number,
  tally: Tally,
  flaw: Flaw = "none",
  kind: Kind = "object",
): Promise<void> {
  const id = `round ${round}`;
  let heard = (): void => {};
  const writers = ["a", "b"].map((name) =>
    startWriter([JSON.stringify(where), id, name, flaw, kind], () => heard())
  );
  const total = (): number => writers.reduce((sum, { ids }) => sum + ids.length, 0);
  const reached = (count: number): Promise<void> =>
    new Promise((resolve, reject) => {
      heard = () => {
        if (total() >= count) resolve();
        else if (writers.every(({ child }) => isGone(child))) {
          reject(new Error("Every writer has ended by itself, or could not be started"));
        }
      };
      heard();
    });
  try {
    await reached(1 + (round * 37) % 300);
    // Where only one can have the storage, the one that has it.
    const busy = writers.findIndex(({ ids }) => ids.length > 0);
    const first = writers[where.store === "file" ? busy : round % 2];
    for (const writer of [first, ...writers.filter((writer) => writer !== first)]) {
      writer?.child.kill("SIGKILL");
      await writer?.ended;
      tally.kills++;
      if (writer === first) await reached(total() + 20);
    }
  } finally {
    for (const { child } of writers) child.kill("SIGKILL");
  }
  count(tally, writers.flatMap(({ ids }) => ids), await look(where, id, kind));
}

async function look(where: Where, id: string, kind: Kind): Promise<JournalState> {
  await using root = openRoot(where, "none");
  if (kind === "document") {
    const { log } = await root.document(Pad, id).state();
    // Nothing settles what is in a document.
    return { log: [...log], due: [], settled: [...log] };
  }
  await root.objects.fireDue();
  return await root.call("journal", id, "read") as JournalState;
}

function count(tally: Tally, acknowledged: readonly string[], state: JournalState): void {
  const { log, due, settled } = state;
  const there = new Set(log);
  tally.acknowledged += acknowledged.length;
  tally.lost += acknowledged.filter((id) => !there.has(id)).length;
  tally.unanswered += there.size - acknowledged.filter((id) => there.has(id)).length;
  tally.doubled += log.length - there.size;
  const times = new Map<string, number>();
  for (const id of [...settled, ...due, ...due]) times.set(id, (times.get(id) ?? 0) + 1);
  // A log with an id twice settles it twice: told as doubled already.
  for (const id of there) {
    if (times.get(id) !== log.filter((other) => other === id).length) tally.unsettled++;
  }
}
