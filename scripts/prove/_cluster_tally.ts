// What nodes under load write to: small, and yet exact about every single number.
import { defineObject } from "../../src/object/definition.ts";
import type { ObjectDefinition } from "../../src/object/model.ts";

/** What is stored of the numbers of one worker, which sends each of them once, in order. */
export interface Counted {
  /** The largest there is. */
  last: number;
  /** Smaller ones that are not there. */
  missing: number[];
  /** Those that came more than once. */
  twice: number[];
}

/** All numbers that have come. */
export interface Taken {
  by: Record<string, Counted>;
  count: number;
}

/** Takes in a number of a worker. */
export function takeIn(state: Taken, worker: string, seq: number): void {
  const known = state.by[worker] ??= { last: 0, missing: [], twice: [] };
  state.count++;
  if (seq <= known.last) {
    // One that was told to be unknown may be late, but is not there yet.
    const at = known.missing.indexOf(seq);
    if (at < 0) known.twice.push(seq);
    else known.missing.splice(at, 1);
    return;
  }
  for (let one = known.last + 1; one < seq; one++) known.missing.push(one);
  known.last = seq;
}

interface Handlers {
  add(ctx: { state: Taken }, worker: string, seq: number): void;
  count: { readOnly: true; run(ctx: { state: Taken }): number };
}

export const Tally: ObjectDefinition<Taken, Handlers> = defineObject({
  name: "tally",
  vsn: 1,
  state: (): Taken => ({ by: {}, count: 0 }),
  handlers: {
    add: ({ state }, worker: string, seq: number): void => takeIn(state, worker, seq),
    count: { readOnly: true, run: ({ state }) => state.count },
  },
});
