import process from "node:process";
import type { Holdfast } from "../../adapters/web/holdfast.ts";
import { here, Place } from "./place.ts";

/** What to measure. */
export interface LoadJob {
  readonly write: boolean;
  readonly callers: number;
  readonly objects: number;
  readonly ms: number;
}

/** What one node has done meanwhile. */
export interface Done {
  readonly calls: number;
  /** Of those, how many another node has answered. */
  readonly elsewhere: number;
  readonly cpuUs: number;
}

/** Callers that call objects by lot, wherever these are. */
export async function measureLoad(
  holdfast: Holdfast,
  { write, callers, objects, ms }: LoadJob,
): Promise<Done> {
  const done = { calls: 0, elsewhere: 0 };
  const until = performance.now() + ms;
  const before = process.cpuUsage();
  const caller = async (): Promise<void> => {
    while (performance.now() < until) {
      const object = holdfast.object(Place, `id-${Math.floor(Math.random() * objects)}`);
      const by = write ? (await object.add()).by : await object.where();
      done.calls++;
      if (by !== here.name) done.elsewhere++;
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  const { user, system } = process.cpuUsage(before);
  return { ...done, cpuUs: user + system };
}
