import { assert, assertEquals, assertThrows, runtime, skip, test } from "../harness/mod.ts";
import { Laboratory, mutants } from "./mutants/mod.ts";
import { mutate } from "./mutants/mutant.ts";
import { read } from "../meta/files.ts";

/** One of each decision that shows after few seeds; all of them are `npm run prove -- mutants`. */
const chosen: readonly string[] = [
  "a write has no condition",
  "a reply leaves before what it tells is durable",
  "two writes are under way at once",
  "calls that were answered are run again with the others",
  "records carry no name of their write",
  "an old version of an object writes over a new one",
  "a page sees the draft of another",
  "values are stored as JSON makes them",
  "a session is stored under its id",
  "an alarm that keeps failing is dropped instead of set aside",
  "a copy of a forwarded call is run again",
  "an owner writes on after it has lost its object",
];

// A seed has the same history everywhere, and so has a mutant.
const onOne: typeof test = runtime === "bun" ? test : (title) => skip(title, "only on bun");

onOne("[SM12] the simulator notices when a decision is broken", async (t) => {
  const laboratory = new Laboratory();
  t.defer(() => laboratory.close());
  for (const name of chosen) {
    const mutant = mutants.find((one) => one.name === name);
    assert(mutant !== undefined, `there is no mutant "${name}"`);
    const found = await laboratory.try(mutant, 100);
    assertEquals(found.kind, "found", `${name}: ${JSON.stringify(found)}`);
  }
}, { timeoutMs: 280_000 });

test("[SM12] there is a mutant of every decision, and each fits the code as it is", () => {
  const decisions = new Set(mutants.map(({ decision }) => decision));
  assertEquals([...decisions].sort((a, b) => a - b), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  for (const { name, edits } of mutants) {
    const changed = new Map<string, string>();
    for (const edit of edits) {
      const before = changed.get(edit.file) ?? read(edit.file);
      changed.set(edit.file, mutate(before, edit));
      assert(changed.get(edit.file) !== before, name);
    }
  }
});

test("[SM12] a mutant whose code has changed fails", () => {
  const edit = { file: "a.ts", find: "x", replace: "y" };
  assertThrows(() => mutate("no such letter", edit), /Cannot mutate a.ts/);
  assertThrows(() => mutate("x and x", edit), /is there 2 times/);
});
