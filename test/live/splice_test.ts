import fc from "fast-check";
import { applySplices, splice } from "../../src/live/splice.ts";
import { assert, assertEquals, test } from "../harness/mod.ts";

/** Texts that look like HTML, and have whatever else strings can have in them. */
const piece: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom("<li>", "</li>", "<p class='a'>", "</p>", "<b>x</b>", "\u{1f600}", "a", "\ud83d"),
  fc.string({ maxLength: 8, unit: "binary" }),
);
const text: fc.Arbitrary<string> = fc.array(piece, { maxLength: 60 }).map((parts) =>
  parts.join("")
);

function check(a: string, b: string): void {
  const splices = splice(a, b);
  assertEquals(applySplices(a, splices), b);
  let end = 0;
  for (const [at, remove, insert] of splices) {
    assert(at >= end && remove >= 0 && at + remove <= a.length, "in order, and within the base");
    assert(remove > 0 || insert !== "", "it does something");
    end = at + remove;
  }
  if (a.isWellFormed() && b.isWellFormed()) {
    assert(splices.every(([, , insert]) => insert.isWellFormed()), "no pair is split");
    const cut = splices.flatMap(([at, remove]) => [at, at + remove]);
    assert(cut.every((at) => a.slice(0, at).isWellFormed()), "nor one of the base");
  }
}

test("[LV15] what turns one text into another, applied to the first, gives the second", () => {
  fc.assert(fc.property(text, text, check), { numRuns: 2000 });
});

test("[LV15] so do small changes of long texts, in several places", () => {
  fc.assert(
    fc.property(
      fc.array(piece, { minLength: 20, maxLength: 120 }),
      fc.array(fc.tuple(fc.nat(), piece), { maxLength: 5 }),
      (parts, changes) => {
        const changed = [...parts];
        for (const [at, by] of changes) changed[at % changed.length] = by;
        check(parts.join(""), changed.join(""));
      },
    ),
    { numRuns: 1000 },
  );
});

test("[LV15] two counters far from each other are two short replacements", () => {
  const page = (a: number, b: number) => `<p>${a}</p>${"<li>row</li>".repeat(500)}<p>${b}</p>`;
  const splices = splice(page(1, 1), page(2, 2));
  assertEquals(splices.map(([, remove, insert]) => [remove, insert]), [[1, "2"], [1, "2"]]);
});

test("[LV15] texts that have nothing in common cost no more than the text", () => {
  const a = "<a>".repeat(5000);
  const b = "<b>".repeat(5000);
  assertEquals(splice(a, b).length, 1);
});
