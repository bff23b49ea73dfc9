import { assertEquals, test } from "../harness/mod.ts";
import { storm } from "./storm.ts";

const seeds = 25;

for (let seed = 1; seed <= seeds; seed++) {
  test(`[AL19] no acknowledged call is lost and every alarm has its effect once, in storm ${seed}`, async () => {
    assertEquals(await storm(seed), []);
  });
}
