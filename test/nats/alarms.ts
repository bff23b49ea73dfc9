import process from "node:process";
import { natsStorage } from "../../adapters/nats/mod.ts";
import { type Child, startChild } from "../adapters/fixtures/child.ts";
import { startNats } from "./fixtures/server.ts";

/** What became of alarms that were due while a node was killed. */
export interface Rung {
  /** Whose state says that it rang once, not at all, more than once. */
  readonly once: number;
  readonly never: number;
  readonly more: number;
  /** How often a handler was run: more often than it had an effect, if a run was cut off. */
  readonly runs: number;
  /** How many had rung when the node was killed. */
  readonly before: number;
  /** Milliseconds from there until all had been seen to have rung. */
  readonly tookMs: number;
}

/**
 * Sets alarms of so many objects on three processes, kills one of these when a part has rung, and counts
 * how often each has had its effect.
 *
 * @param dueMs When they are due, in ms after the first is set: setting them takes a while.
 * @param withinMs How long it may take until all have rung.
 */
export async function ringThrough(
  objects: number,
  dueMs: number,
  withinMs: number,
): Promise<Rung> {
  const nats = await startNats();
  const start = (count: number) => startChild("alarm_node", [nats.url, `${count}`, `${dueMs}`]);
  const [setter, victim, other] = [start(objects), start(0), start(0)] as const;
  const all = [setter, victim, other];
  const storage = natsStorage({ servers: nats.url });
  const rings = () => all.reduce((sum, { lines }) => sum + ringsOf(lines), 0);
  const until = performance.now() + withinMs;
  try {
    // The setter may still be setting when the first ones ring: on a busy machine that takes a while.
    await reached(() => rings() >= objects / 5, until, "rung in part");
    const before = rings();
    const killedAt = performance.now();
    signal(victim, "SIGKILL");
    await victim.ended;
    const rangOf = async (id: number): Promise<number> => {
      const record = JSON.parse((await storage.get(`app/object/bell/${id}`))?.value ?? "{}");
      return Number(record.state?.state.rang ?? 0);
    };
    // By their states: an entry of the index whose removal was cut off stays for a while.
    for (let id = 0; id < objects && performance.now() < until;) {
      if (await rangOf(id) > 0) id++;
      else await pause(100);
    }
    const tookMs = performance.now() - killedAt;
    // A few more looks of each poller: what rings twice would ring now.
    await pause(1500);
    const counts: number[] = [];
    for (let id = 0; id < objects; id++) counts.push(await rangOf(id));
    const of = (fits: (rang: number) => boolean): number => counts.filter(fits).length;
    return {
      once: of((rang) => rang === 1),
      never: of((rang) => rang === 0),
      more: of((rang) => rang > 1),
      runs: rings(),
      before,
      tookMs,
    };
  } finally {
    await storage.close();
    for (const child of all) signal(child, "SIGKILL");
    await Promise.all(all.map(({ ended }) => ended));
    await nats.dispose();
  }
}

function ringsOf(lines: readonly string[]): number {
  return lines.filter((line) => line === "rang").length;
}

async function reached(is: () => boolean, until: number, what: string): Promise<void> {
  while (!is()) {
    if (performance.now() > until) throw new Error(`Not within time: ${what}`);
    await pause(20);
  }
}

/** Nothing here tells when it is done: other processes do it. */
function pause(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms));
}

/** By its id: on Deno a child that was sent one signal gets no other. */
function signal({ process: { pid } }: Child, name: "SIGKILL"): void {
  try {
    if (pid !== undefined) process.kill(pid, name);
  } catch {
    // It has ended.
  }
}
