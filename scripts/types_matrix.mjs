// npm run types-matrix: what users' types are inferred to, under each TypeScript they may have, and what it
// says of wrong definitions, and what an editor shows for right ones. The other versions are fetched into a folder of their own; they check
// test/types against the sources.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compareHovers } from "./lib/hovers.mjs";
import { readJson, root } from "./lib/runtimes.mjs";
import { capture } from "./lib/run.mjs";

/** The versions beside the one of the checkout, exactly. */
const versions = ["5.9.3", "7.0.2"];

const project = join(root, ".types-matrix.json");
/** The wrong definitions, where the compilers see them. */
const wrong = ".types-wrong.ts";
const folder = mkdtempSync(join(tmpdir(), "holdfast-types-"));
process.on("exit", () => {
  rmSync(folder, { recursive: true, force: true });
  rmSync(project, { force: true });
  rmSync(join(root, wrong), { force: true });
});

const dependencies = Object.fromEntries(
  versions.map((version) => [`typescript-${version}`, `npm:typescript@${version}`]),
);
writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, dependencies }));
const installed = await capture("npm", ["install", "--no-audit", "--no-fund"], { cwd: folder });
if (installed.code !== 0) {
  console.log(installed.output);
  process.exit(1);
}
// Only what users see: the sources these reach, and what the tests say of them.
const include = ["test/types", wrong];
writeFileSync(project, JSON.stringify({ extends: "./tsconfig.json", include }));
const definitions = readFileSync(join(root, "test", "types", "wrong.txt"), "utf8").split("\n");
writeFileSync(join(root, wrong), definitions.join("\n"));

/** What has to be said, with the lines below it, up to what has to be said next. */
const expected = definitions.flatMap((line, i) => {
  const text = /^\/\/ says: (.*)$/.exec(line)?.[1];
  if (text === undefined) return [];
  const next = definitions.findIndex((other, j) => j > i && other.startsWith("// says: "));
  return [{ text, from: i + 2, to: next === -1 ? definitions.length : next }];
});

/** What a compiler says: each error with its place and all its lines. */
function errorsIn(output) {
  return output.split(/^(?=\S.*\(\d+,\d+\): error )/m).filter((text) => text.trim() !== "").map(
    (text) => {
      const at = new RegExp(`^${wrong.replaceAll(".", "\\.")}\\((\\d+),`).exec(text);
      return { text: text.trim(), line: at === null ? undefined : Number(at[1]) };
    },
  );
}

/** What is said but should not be, and the other way round. */
function findings(output) {
  const errors = errorsIn(output);
  const meant = ({ line, text }) =>
    expected.some((e) => line >= e.from && line <= e.to && text.includes(e.text));
  const said = (e) =>
    errors.some(({ line, text }) => line >= e.from && line <= e.to && text.includes(e.text));
  return [
    ...errors.filter((error) => !meant(error)).map(({ text }) => text),
    ...expected.filter((e) => !said(e)).map((e) =>
      `wrong.txt:${e.from - 1}: nobody says: ${e.text}`
    ),
  ];
}

const all = [
  ...versions.map((version) => [version, join(folder, "node_modules", `typescript-${version}`)]),
  [readJson("package.json").devDependencies.typescript, join(root, "node_modules", "typescript")],
];
let failed = 0;
for (const [version, place] of all) {
  const began = Date.now();
  const args = [join(place, "bin", "tsc"), "--noEmit", "--pretty", "false", "-p", project];
  const { output } = await capture(process.execPath, args, { cwd: root });
  const seconds = ((Date.now() - began) / 1000).toFixed(1);
  const found = findings(output);
  const result = found.length === 0 ? `ok, ${expected.length} mistakes named` : "FAILED";
  console.log(`typescript ${version}: ${result} (${seconds} s)`);
  if (found.length === 0) continue;
  console.log(found.join("\n"));
  failed++;
}
// By the version of the checkout alone: the newest has no such interface.
const hovers = readFileSync(join(root, "test", "types", "hovers.txt"), "utf8");
const [ownVersion, ownPlace] = all.at(-1);
const shown = await compareHovers(ownPlace, ".types-hovers.ts", hovers);
console.log(`typescript ${ownVersion}, in an editor: ${shown.expected} shown`, ...shown.findings);
if (shown.findings.length > 0) failed++;
console.log(`${all.length + 1 - failed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
