import { assert, assertEquals, test } from "../harness/mod.ts";
import { fuzz, shrink, type Target } from "./run.ts";
import { targets } from "./targets.ts";

const encoder = new TextEncoder();
const SMALL = 3_000;
const limitMs = 5_000;

for (const [name, target] of Object.entries(targets)) {
  test(`[FZ1] ${name}: whatever comes is accepted or refused, and nothing else`, async () => {
    for (const input of target.corpus) await target.check(input);
    const { inputs, ends, failure } = await fuzz(target, { seed: 1, inputs: SMALL, limitMs });
    const shown = failure === undefined
      ? ""
      : `seed ${failure.seed}: ${failure.error}\n${new TextDecoder().decode(failure.input)}`;
    assertEquals(failure, undefined, shown);
    assertEquals(inputs, SMALL);
    // Both ways have to be taken, or the corpus or the changes are of no use.
    assert(Object.keys(ends).length > 1, JSON.stringify(ends));
  }, { timeoutMs: 60_000 });
}

test("[FZ2] a parser that fails is found, by a seed that repeats it, and its input made small", async () => {
  const careless: Target = {
    corpus: [encoder.encode('{"name":"ada","size":12}')],
    check: (input) => {
      if (new TextDecoder().decode(input).includes("[[")) throw new TypeError("too deep");
      return "fine";
    },
  };
  const run = { seed: 5, inputs: 5_000, limitMs };
  const [one, two] = [await fuzz(careless, run), await fuzz(careless, run)];
  assertEquals(one.failure?.seed, two.failure?.seed);
  assertEquals(new TextDecoder().decode(one.failure?.input), "[[");
  const alone = await fuzz(careless, { seed: one.failure?.seed ?? 0, inputs: 1, limitMs });
  assertEquals(alone.failure?.error.includes("too deep"), true);
});

test("[FZ2] shrinking keeps what fails", async () => {
  const small = await shrink(
    encoder.encode("aaaaXbbbbYcccc"),
    (input) => Promise.resolve(/X.*Y/.test(new TextDecoder().decode(input))),
  );
  assertEquals(new TextDecoder().decode(small), "XY");
});
