// How long the import of a subpath takes in a process that has imported nothing yet.
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { capture } from "../lib/run.mjs";
import { findRuntime, names, root } from "../lib/runtimes.mjs";

/** Processes for each figure. */
export const rounds = 9;

const args = { bun: ["run"], deno: ["run", "-A"], node: [] };
const script = `const began = performance.now();
await import(process.argv[2]);
console.log(performance.now() - began);
`;

/** The middle one; `rounds` is odd. */
function median(values) {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}

/** A folder with the build as an installed package, and the packages of the checkout around it. */
function application() {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-sizes-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  const place = join(folder, "node_modules", "holdfast");
  mkdirSync(place, { recursive: true });
  cpSync(join(root, "dist"), join(place, "dist"), { recursive: true });
  cpSync(join(root, "package.json"), join(place, "package.json"));
  return folder;
}

/** Lends a package and, as it is linked, what that finds around itself. */
function lend(folder, name) {
  const place = join(folder, "node_modules", name);
  mkdirSync(join(place, ".."), { recursive: true });
  symlinkSync(join(root, "node_modules", name), place);
}

async function timeOf(runtime, specifier, cwd) {
  const command = [...args[runtime.name], "import.mjs", specifier];
  const { code, output } = await capture(runtime.path, command, { cwd, env: { NO_COLOR: "1" } });
  const ms = Number(output);
  if (code !== 0 || !(ms > 0)) throw new Error(`${runtime.name} ${specifier}: ${output}`);
  return ms;
}

/**
 * Times the imports: a process for each, all subpaths in turn, so that what else the machine does meets
 * them alike.
 *
 * @param {{ specifier: string, imported: string[] }[]} rows
 * @returns {Promise<{ runtimes: { name: string, version: string }[], times: Map<string, number[]>,
 *   floor: number[] }>} Milliseconds in the order of the runtimes; `floor` is an empty module's.
 */
export async function coldImports(rows) {
  const folder = application();
  const packages = [...new Set(rows.flatMap(({ imported }) => imported))];
  for (const name of packages) lend(folder, name);
  // Deno finds what a manifest names.
  const named = ["holdfast", ...packages].map((name) => [name, "*"]);
  const app = { private: true, type: "module", dependencies: Object.fromEntries(named) };
  writeFileSync(join(folder, "package.json"), JSON.stringify(app));
  writeFileSync(join(folder, "import.mjs"), script);
  writeFileSync(join(folder, "empty.mjs"), "export {};\n");
  const runtimes = names.map(findRuntime).filter((runtime) => "path" in runtime);
  const specifiers = ["./empty.mjs", ...rows.map(({ specifier }) => specifier)];
  const taken = new Map(specifiers.map((name) => [name, runtimes.map(() => [])]));
  // The first round fills the caches of the files; it does not count.
  for (let round = 0; round <= rounds; round++) {
    for (const [i, runtime] of runtimes.entries()) {
      for (const name of specifiers) {
        const ms = await timeOf(runtime, name, folder);
        if (round > 0) taken.get(name)[i].push(ms);
      }
    }
  }
  const times = new Map([...taken].map(([name, all]) => [name, all.map(median)]));
  return { runtimes, times, floor: times.get("./empty.mjs") };
}
