// Compares what the script of the browser has of idiomorph with the original, in Chromium, on pages
// at random: every node, attribute and value after a morph, and what is told meanwhile (SPEC LC48).
//
//   npm run prove -- morphs                             100,000 pages
//   npm run prove -- morphs --seed=17 --pages=1         the one page of a difference
//   npm run prove -- morphs --mutants --pages=3000      breaks it on purpose, and shows what is found
import process from "node:process";
import { parseArgs } from "node:util";
import { launch } from "../../test/e2e/live/browser.ts";
import { mutants, mutate } from "../../test/browser/morphs/mutants.ts";
import { bothMorphs, compareIn, explain } from "../../test/browser/morphs/run.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    pages: { type: "string", default: "100000" },
    mutants: { type: "boolean", default: false },
  },
});
const [seed, pages] = [Number(values.seed), Number(values.pages)] as const;
if (!Number.isSafeInteger(seed) || !Number.isSafeInteger(pages) || pages < 1) {
  console.error("Cannot compare: --seed and --pages are whole numbers");
  process.exit(2);
}

const [original, shortened] = await bothMorphs();
const browser = await launch();
const page = await browser.newPage();
const perStep = 2_000;

/** Compares so many pages, and answers the first difference in words. */
async function compare(text: string): Promise<string | undefined> {
  for (let done = 0; done < pages; done += perStep) {
    const size = Math.min(perStep, pages - done);
    const found = await compareIn(page, [original, text], seed + done, size);
    if (found.difference !== undefined) return explain(found);
    if (!values.mutants) console.log(`${done + size} pages`);
  }
  return undefined;
}

let failed = 0;
if (values.mutants) {
  for (const name of Object.keys(mutants)) {
    const found = await compare(mutate(shortened, name));
    if (found === undefined) failed++;
    console.log(`${name}: ${found === undefined ? "NOT FOUND" : found.split("\n", 1)[0]}`);
  }
} else {
  const found = await compare(shortened);
  if (found !== undefined) failed++;
  console.log(found ?? "no difference");
}
await browser.close();
process.exit(failed === 0 ? 0 : 1);
