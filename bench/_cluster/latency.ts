import type { NatsConnection } from "../../adapters/nats/connect.ts";
import type { Holdfast } from "../../adapters/web/holdfast.ts";
import { Place } from "./place.ts";

/** What calls took in one slice, in ms, each. */
export type Slices = Readonly<Record<"local" | "bare" | "forwarded", readonly number[]>>;

/** What to measure. */
export interface LatencyJob {
  readonly other: string;
  readonly own: string;
  readonly foreign: string;
  readonly slices: number;
  readonly sliceMs: number;
}

/** Characters that go there and back. */
const text: string = "a call that goes to another node and comes back with what it brought ".repeat(
  2,
)
  .slice(0, 100);

/** One caller, one call after the other; the three ways take turns, slice by slice. */
export async function measureLatency(
  holdfast: Holdfast,
  connection: NatsConnection,
  { other, own, foreign, slices, sliceMs }: LatencyJob,
): Promise<readonly Slices[]> {
  const decoder = new TextDecoder();
  const near = holdfast.object(Place, own);
  const far = holdfast.object(Place, foreign);
  const ways: Readonly<Record<keyof Slices, () => Promise<string>>> = {
    local: () => near.echo(text),
    bare: async () => {
      const { data } = await connection.request(`bare.${other}`, text, { timeout: 5000 });
      return decoder.decode(data);
    },
    forwarded: () => far.echo(text),
  };
  const all: Slices[] = [];
  // The first ones warm up.
  for (let slice = -4; slice < slices; slice++) {
    const local = await repeat(ways.local, sliceMs / 5);
    const bare = await repeat(ways.bare, sliceMs);
    const forwarded = await repeat(ways.forwarded, sliceMs);
    if (slice >= 0) all.push({ local, bare, forwarded });
  }
  return all;
}

async function repeat(call: () => Promise<string>, ms: number): Promise<readonly number[]> {
  const took: number[] = [];
  const until = performance.now() + ms;
  for (let now = performance.now(); now < until;) {
    if (await call() !== text) throw new Error("Cannot measure: another text has come back");
    const then = performance.now();
    took.push(then - now);
    now = then;
  }
  return took;
}
