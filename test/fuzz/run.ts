import { Chance, mutate, replaced } from "./mutate.ts";

/** A parser under test. */
export interface Target {
  /** Valid inputs, which the others are made of. */
  readonly corpus: readonly Uint8Array[];
  /** Throws if the parser does anything it must not; answers with what kind of end it was. */
  readonly check: (input: Uint8Array) => string | Promise<string>;
}

/** What a run has come to. */
export interface FuzzReport {
  readonly inputs: number;
  /** How many inputs ended how: a run in which none is accepted, or all are, proves little. */
  readonly ends: Readonly<Record<string, number>>;
  readonly slowestMs: number;
  readonly failure: FuzzFailure | undefined;
}

/** An input that a parser did not take as it should. */
export interface FuzzFailure {
  readonly error: string;
  /** The seed of its one input: `mutate()` makes it again. */
  readonly seed: number;
  /** The input, made as small as could be found. */
  readonly input: Uint8Array;
}

/** Options of {@linkcode fuzz}. */
export interface FuzzOptions {
  readonly seed: number;
  readonly inputs: number;
  /** An input that takes longer is a failure. */
  readonly limitMs: number;
  readonly progress?: (done: number) => void;
}

/** Feeds a parser with inputs of a seed until one fails; each input has a seed of its own. */
export async function fuzz(target: Target, options: FuzzOptions): Promise<FuzzReport> {
  const { seed, inputs, limitMs, progress } = options;
  const ends: Record<string, number> = {};
  let slowestMs = 0;
  for (let i = 0; i < inputs; i++) {
    const input = mutate(target.corpus, new Chance(seed + i));
    const began = performance.now();
    try {
      const answer = target.check(input);
      const end = typeof answer === "string" ? answer : await answer;
      ends[end] = (ends[end] ?? 0) + 1;
    } catch (error) {
      const small = await shrink(input, (less) => fails(target, less));
      const why = error instanceof Error ? `${error.stack}` : String(error);
      const failure = { error: why, seed: seed + i, input: small };
      return { inputs: i + 1, ends, slowestMs, failure };
    }
    const tookMs = performance.now() - began;
    if (tookMs > slowestMs) slowestMs = tookMs;
    if (tookMs > limitMs) {
      const failure = { error: `took ${tookMs} ms`, seed: seed + i, input };
      return { inputs: i + 1, ends, slowestMs, failure };
    }
    if (i % 10_000 === 9_999) progress?.(i + 1);
  }
  return { inputs, ends, slowestMs, failure: undefined };
}

async function fails({ check }: Target, input: Uint8Array): Promise<boolean> {
  try {
    await check(input);
    return false;
  } catch {
    return true;
  }
}

/** Takes parts away, smaller and smaller ones, as long as what is left still fails. */
export async function shrink(
  input: Uint8Array,
  stillFails: (input: Uint8Array) => Promise<boolean>,
): Promise<Uint8Array> {
  let small = input;
  for (let size = Math.ceil(small.length / 2); size >= 1; size = size === 1 ? 0 : size >> 1) {
    for (let at = 0; at + size <= small.length;) {
      const less = replaced(small, at, size, new Uint8Array());
      if (await stillFails(less)) small = less;
      else at += size;
    }
  }
  return small;
}
