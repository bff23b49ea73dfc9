import { assert, assertEquals, test } from "../harness/mod.ts";
import { read, sources } from "./files.ts";
import { provenIn, rulesOf, unnumberedIn } from "./spec.ts";

const rules = rulesOf(read("SPEC.md"));
// This file plants titles of its own.
const tests = sources("test", "adapters/testing")
  .filter((path) => path !== "test/meta/spec_test.ts");

test("[ME7] every rule has a test, and every number in a title is a rule", () => {
  assert(rules.length > 0, "SPEC.md has no rules");
  const proven = new Set(["ME7", ...tests.flatMap((path) => provenIn(read(path)))]);
  const ids = new Set(rules.map(({ id }) => id));
  assertEquals([...ids].filter((id) => !proven.has(id)), [], "rules without a test");
  assertEquals([...proven].filter((id) => !ids.has(id)), [], "numbers that are no rule");
});

test("[ME7] every title begins with the rule it proves", () => {
  const problems = tests.flatMap((path) =>
    unnumberedIn(read(path)).map((title) => `${path}: ${title}`)
  );
  assertEquals(problems, []);
});

test("[ME7] a rule has a number of its own, the letters of its section, and ends", () => {
  const ids = rules.map(({ id }) => id);
  assertEquals(ids.filter((id, i) => ids.indexOf(id) !== i), [], "numbers given twice");
  const strange = rules.filter(({ id, section, text }) =>
    !id.startsWith(section) || section === "" || !text.endsWith(".")
  );
  assertEquals(strange, []);
});

test("[ME7] rules and titles are found as they are written", () => {
  const spec = "# S\n\nIntro.\n\n## One (AA)\n\n- **AA1** First\n  goes on.\n- **AA2** Second.\n";
  assertEquals(rulesOf(spec), [
    { id: "AA1", text: "First\n  goes on.", section: "AA" },
    { id: "AA2", text: "Second.", section: "AA" },
  ]);
  const source = 'test("[AA1] a", f); t.test(`${driver}: [AA2] [AA3] b`, f);\n' +
    'skip("[AA4] c", "why"); const d = "see [AA5]"; // test("[AA6] e")\n' +
    'const rows = [{ title: "[AA7] f" }]; test(`x: ${row.title}`, f);';
  assertEquals(provenIn(source), ["AA1", "AA2", "AA3", "AA7"]);
  assertEquals(unnumberedIn('test("plain", f); test(\n  "[AA1] a", f); /a/.test("b")'), ["plain"]);
});
