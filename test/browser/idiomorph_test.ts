import { assert, assertEquals } from "../harness/mod.ts";
import { inBrowser, openEmpty } from "./fixtures/browser.ts";
import { mutants, mutate } from "./morphs/mutants.ts";
import { bothMorphs, compareIn, explain } from "./morphs/run.ts";

inBrowser(
  "[LC48] what is served of idiomorph does what the original does, on pages at random",
  async (t) => {
    const page = await openEmpty(t);
    const compared = await compareIn(page, await bothMorphs(), 1, 1_000);
    assertEquals(explain(compared), "no difference");
    const { pages, kept, moved, added, removed } = compared;
    assertEquals(pages, 1_000);
    assert(Math.min(kept, added, removed) > 1_000 && moved > 10, "there was much to compare");
  },
);

inBrowser("[LC48] and what it would do otherwise is found", async (t) => {
  const page = await openEmpty(t);
  const [original, shortened] = await bothMorphs();
  const missed: string[] = [];
  for (const name of Object.keys(mutants)) {
    const { difference } = await compareIn(page, [original, mutate(shortened, name)], 1, 3_000);
    if (difference === undefined) missed.push(name);
  }
  assertEquals(missed, []);
});
