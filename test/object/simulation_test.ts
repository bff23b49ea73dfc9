import { assert, assertEquals, test } from "../harness/mod.ts";
import { simulate } from "./simulation/mod.ts";

test(
  "[OB21] whatever storage and nodes do, what was acknowledged is kept and applied once",
  async () => {
    const totals: Record<string, number> = {};
    for (let seed = 1; seed <= 300; seed++) {
      const { problems, counts } = await simulate(seed);
      assertEquals(problems, [], `npm run prove -- engine_seeds --from=${seed} --seeds=1`);
      for (const [name, count] of Object.entries(counts)) {
        totals[name] = (totals[name] ?? 0) +
          count;
      }
    }
    // A simulation in which nothing happens proves nothing.
    for (const name of ["acknowledged", "refused", "unknown", "reads", "effects"]) {
      assert((totals[name] ?? 0) > 300, `${name}: ${totals[name]}`);
    }
  },
  { timeoutMs: 120_000 },
);

test("[OB21] the same seed does the same", async () => {
  assertEquals(await simulate(7), await simulate(7));
});
