import fc from "fast-check";
import type { PartsOf } from "../../src/document/model.ts";
import type { Entry } from "../../src/document/stored.ts";
import { Touched } from "../../src/document/touched.ts";
import { assert, assertEquals, test } from "../harness/mod.ts";

const parts: PartsOf<object, string[]> = {
  touched: (op) => op,
  part: () => undefined,
  merge: (state) => state,
};

/** What an entry touches: parts, or everything. */
type Op = string[] | undefined;

function entry(seq: number, op: Op): Entry {
  return { seq, at: 0, actor: null, ...(op === undefined ? {} : { op }) } as Entry;
}

/** Straight from the entries. */
function wanted(missed: readonly Entry[]): readonly string[] | undefined {
  if (missed.some(({ op }) => op === undefined)) return undefined;
  return [...new Set(missed.flatMap(({ op }) => op as string[]))].toSorted();
}

const found = (touched: Touched, missed: readonly Entry[]): readonly string[] | undefined => {
  const names = touched.by(parts, missed);
  return names === undefined ? undefined : [...names].toSorted();
};

test("[DO10] the parts that were missed are the same whoever came back before, and after entries that have not happened", () => {
  const op: fc.Arbitrary<Op> = fc.oneof(
    {
      weight: 400,
      arbitrary: fc.array(fc.integer({ min: 0, max: 5000 }).map(String), { maxLength: 3 }),
    },
    { weight: 1, arbitrary: fc.constant(undefined) },
  );
  const step = fc.record({
    ops: fc.array(op, { maxLength: 600, size: "max" }),
    dropped: fc.oneof(fc.constant(0), fc.nat(500)),
    asked: fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(3))),
  });
  let remembered = 0;
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 4 }), (steps) => {
      const touched = new Touched();
      let log: Entry[] = [];
      for (const { ops, dropped, asked } of steps) {
        if (dropped > 0) {
          log = log.slice(0, -dropped);
          touched.forget();
        }
        log = [...log, ...ops.map((each, n) => entry(log.length + 1 + n, each))];
        for (const [share, early] of asked) {
          const missed = log.slice(Math.floor(share * log.length), log.length - early);
          assertEquals(found(touched, missed), wanted(missed));
          if (missed.length >= 256) remembered++;
        }
      }
    }),
    { numRuns: 60, endOnFailure: true },
  );
  assert(remembered > 20, `only ${remembered} were long enough`);
});

test("[DO10] of many who come back, only the first goes through what all have missed", () => {
  const log = Array.from({ length: 5000 }, (_, n) => entry(n + 1, [`p${n % 7}`]));
  let looked = 0;
  const counted = { ...parts, touched: (op: string[]) => (looked++, op) };
  const touched = new Touched();
  for (let client = 0; client < 50; client++) {
    assertEquals([...touched.by(counted, log.slice(client)) ?? []].length, 7);
  }
  assertEquals(looked, 5000);
});
