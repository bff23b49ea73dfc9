import { SeenNumbers } from "../../src/cluster/seen.ts";
import { seededRandom } from "../../adapters/testing/mod.ts";
import { assertEquals, test } from "../harness/mod.ts";

test("[CU16] of numbers in any order each is there for the first time once, as far back as can be told", () => {
  const random = seededRandom(7);
  const seen = new SeenNumbers();
  const model = new Set<number>();
  let latest = -1;
  const tally = { first: 0, again: 0, old: 0 };
  for (let i = 0; i < 50_000; i++) {
    const dice = random.number();
    // Most come in order, some are skipped, some late, some again, some after a long pause.
    const number = dice < 0.6
      ? latest + 1
      : dice < 0.65
      ? latest + 1 + Math.floor(40 * random.number())
      : dice < 0.651
      ? latest + 1 + Math.floor(9000 * random.number())
      : Math.max(0, latest - Math.floor(5000 * random.number()));
    const old = number <= latest - 4096;
    const expected = !old && !model.has(number);
    assertEquals(seen.first(number), expected, `${number} after ${latest}`);
    tally[old ? "old" : expected ? "first" : "again"]++;
    if (!old) model.add(number);
    latest = Math.max(latest, number);
  }
  assertEquals(Object.values(tally).every((count) => count > 1000), true, JSON.stringify(tally));
});
