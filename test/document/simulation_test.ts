import { assert, test } from "../harness/mod.ts";
import { simulate } from "./simulation.ts";

test(
  "[DO25] clients that come and go on two nodes converge, with what was acknowledged once",
  async () => {
    let acknowledged = 0;
    let breaks = 0;
    let deaths = 0;
    for (let seed = 1; seed <= 60; seed++) {
      const report = await simulate(seed);
      acknowledged += report.acknowledged;
      breaks += report.breaks;
      deaths += report.deaths;
    }
    assert(
      acknowledged > 1000 && breaks > 50 && deaths > 50,
      `${acknowledged} ${breaks} ${deaths}`,
    );
  },
  { timeoutMs: 120_000 },
);
