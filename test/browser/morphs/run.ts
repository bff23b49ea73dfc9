import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { type Compared, MorphComparison } from "./compare.ts";

const lib = new URL("../../../scripts/lib/idiomorph.mjs", import.meta.url).href;
const module = new URL("../../../node_modules/idiomorph/dist/idiomorph.esm.js", import.meta.url);

/** The original of idiomorph, and what the client has of it, as texts of modules. */
export async function bothMorphs(): Promise<readonly [original: string, shortened: string]> {
  const original = readFileSync(module, "utf8");
  const { shortened } = await import(lib) as { shortened(code: string): string };
  return [original, shortened(original)];
}

/** Compares two on pages at random, in an empty page of a browser. */
export function compareIn(
  page: Page,
  texts: readonly [string, string],
  seed: number,
  pages: number,
): Promise<Compared> {
  const args = JSON.stringify(texts);
  return page.evaluate(`new (${MorphComparison})(${args}).run(${seed}, ${pages})`);
}

/** A difference in words: the two pages, and where what became of them parts. */
export function explain({ difference }: Compared): string {
  if (difference === undefined) return "no difference";
  const { seed, old, fresh, one, other } = difference;
  const [a, b] = [one.split("\n"), other.split("\n")];
  const at = a.findIndex((line, i) => line !== b[i]);
  return `seed ${seed}\nfrom ${old}\nto   ${fresh}\none:   ${a[at]}\nother: ${b[at]}`;
}
