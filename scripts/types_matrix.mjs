// npm run types-matrix: what users' types are inferred to, under each TypeScript they may have. The
// other versions are fetched into a folder of their own; they check test/types against the sources.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readJson, root } from "./lib/runtimes.mjs";
import { capture } from "./lib/run.mjs";

/** The versions beside the one of the checkout, exactly. */
const versions = ["5.9.3", "7.0.2"];

const project = join(root, ".types-matrix.json");
const folder = mkdtempSync(join(tmpdir(), "holdfast-types-"));
process.on("exit", () => {
  rmSync(folder, { recursive: true, force: true });
  rmSync(project, { force: true });
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
writeFileSync(project, JSON.stringify({ extends: "./tsconfig.json", include: ["test/types"] }));

const all = [
  ...versions.map((version) => [version, join(folder, "node_modules", `typescript-${version}`)]),
  [readJson("package.json").devDependencies.typescript, join(root, "node_modules", "typescript")],
];
let failed = 0;
for (const [version, place] of all) {
  const began = Date.now();
  const args = [join(place, "bin", "tsc"), "--noEmit", "-p", project];
  const { code, output } = await capture(process.execPath, args, { cwd: root });
  const seconds = ((Date.now() - began) / 1000).toFixed(1);
  console.log(`typescript ${version}: ${code === 0 ? "ok" : "FAILED"} (${seconds} s)`);
  if (code === 0) continue;
  console.log(output);
  failed++;
}
console.log(`${all.length - failed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
