// Scripts of a folder, run by name on a runtime of choice.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { names as runtimes, needRuntime, root } from "./runtimes.mjs";
import { show } from "./run.mjs";

const runArgs = { bun: ["run"], deno: ["run", "-A", "--no-check"], node: [] };

/**
 * Names the scripts of a folder; one whose name begins with `_` is a part of others.
 *
 * @param {string} folder
 */
export function scriptsIn(folder) {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { recursive: true })
    .map((name) => name.replaceAll("\\", "/"))
    .filter((name) => name.endsWith(".ts") && !/(^|\/)_/.test(name))
    .map((name) => name.slice(0, -".ts".length))
    .sort();
}

/**
 * Reads which script is meant, or lists what there is and ends.
 *
 * @param {string} command As the user typed it: `prove`.
 * @param {string} folder
 * @param {string[]} args
 */
export function chosenFrom(command, folder, [name, ...rest]) {
  const scripts = scriptsIn(folder);
  if (name !== undefined && scripts.includes(name)) return { name, rest };
  const listed = name === undefined || name === "--list";
  if (!listed) console.error(`Cannot ${command} "${name}": there is no such script\n`);
  console.log(`npm run ${command} -- NAME [--runtime=${runtimes.join("|")}] [arguments]\n`);
  console.log(scripts.map((script) => `  ${script}`).join("\n") || "  (none yet)");
  return process.exit(listed ? 0 : 2);
}

/**
 * Runs a script on the runtime that `--runtime` names, or on Bun.
 *
 * @param {string} folder
 * @param {string} name
 * @param {string[]} rest Its arguments.
 * @returns {Promise<number>} The exit code.
 */
export async function runScript(folder, name, rest) {
  const chosen = rest.find((arg) => arg.startsWith("--runtime="));
  const runtime = needRuntime(chosen?.slice("--runtime=".length) ?? "bun");
  const args = rest.filter((arg) => arg !== chosen);
  const script = join(root, folder, `${name}.ts`);
  return await show(runtime.path, [...runArgs[runtime.name], script, ...args], { cwd: root });
}

/**
 * Runs what the command line names, or lists what there is.
 *
 * @param {string} command As the user typed it: `prove`.
 * @param {string} folder Where the scripts are; one that begins with `_` is a part of others.
 */
export async function menu(command, folder) {
  const { name, rest } = chosenFrom(command, folder, process.argv.slice(2));
  process.exit(await runScript(folder, name, rest));
}
