import { withoutComments } from "./source.ts";

/** A rule of SPEC.md. */
export interface Rule {
  readonly id: string;
  readonly text: string;
  /** The letters its section's heading ends with. */
  readonly section: string;
}

/** The rules of a specification: list items that begin with a bold number. */
export function rulesOf(markdown: string): readonly Rule[] {
  const rules: Rule[] = [];
  let section = "";
  for (const block of markdown.split(/\n(?=#|- |\n)/)) {
    const heading = /^\n*#{2,} .*\(([A-Z]{2})\)/.exec(block);
    if (heading !== null) section = heading[1] ?? "";
    else if (/^\n*#{1,2} /.test(block)) section = "";
    const rule = /^\n*- \*\*([A-Z]{2}\d+)\*\*\s+([\s\S]*)$/.exec(block);
    if (rule !== null) rules.push({ id: rule[1] ?? "", text: (rule[2] ?? "").trim(), section });
  }
  return rules;
}

// A title: the rules it proves, after the name of a driver if a suite is run for several.
const title = /(\bskip\(\s*)?["'`](?:[^"'`\n[]*: )?((?:\[[A-Z]{2}\d+\] ?)+)/g;

/** The numbers that titles in a test file begin with; a skipped test proves nothing. */
export function provenIn(source: string): readonly string[] {
  return [...withoutComments(source).matchAll(title)]
    .filter(([, skip]) => skip === undefined)
    .flatMap(([, , ids = ""]) => ids.match(/[A-Z]{2}\d+/g) ?? []);
}

// A number and something to read, or a title taken from a table.
const numbered = /^(?:[^[]*: )?(?:\[[A-Z]{2}\d+\] \S|\$\{\w+\.title\}$)/;

/** The literal titles in a test file that begin with no number. */
export function unnumberedIn(source: string): readonly string[] {
  const titles = withoutComments(source)
    .matchAll(/(?<![.\w])(?:t\.)?test\(\s*(["'`])((?:(?!\1)[^\n])*)/g);
  return Array.from(titles, ([, , text = ""]) => text)
    .filter((text) => !numbered.test(text));
}
