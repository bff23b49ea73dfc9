// Scripts of a folder, run by name on a runtime of choice.
import { existsSync, readdirSync, readFileSync } from "node:fs";
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
 * What a script says of itself, in the comment it begins with. Each option it takes is named there.
 *
 * @param {string} folder
 * @param {string} name
 */
function headerOf(folder, name) {
  const text = readFileSync(join(root, folder, `${name}.ts`), "utf8");
  const comment = /^\/\*\*\n([^]*?)\n ?\*\/|^(?:\/\/.*\n)+/.exec(text);
  return (comment?.[1] ?? comment?.[0] ?? "").trimEnd().replace(/^(?: \*|\/\/) ?/gm, "");
}

/**
 * Says what a script does instead of running it, if that is asked or an option is none of its own:
 * it would be passed over, and many of them run for hours.
 *
 * @param {string} command
 * @param {string} folder
 * @param {string} name
 * @param {string[]} rest Its arguments.
 */
function explain(command, folder, name, rest) {
  const header = headerOf(folder, name);
  const known = new Set(["--runtime", ...header.match(/--[\w-]+/g) ?? []]);
  const help = rest.some((arg) => arg === "--help" || arg === "-h");
  const unknown = rest.find((arg) => arg.startsWith("-") && !known.has(arg.split("=")[0] ?? ""));
  if (!help && unknown === undefined) return;
  if (!help) console.error(`Cannot ${command} ${name}: it has no option "${unknown}"\n`);
  console.log(header);
  process.exit(help ? 0 : 2);
}

/**
 * Reads which script is meant, or says what there is, or what it does, and ends.
 *
 * @param {string} command As the user typed it: `prove`.
 * @param {string} folder
 * @param {string[]} args
 */
export function chosenFrom(command, folder, [name, ...rest]) {
  const scripts = scriptsIn(folder);
  if (name !== undefined && scripts.includes(name)) {
    explain(command, folder, name, rest);
    return { name, rest };
  }
  const listed = name === undefined || ["--list", "--help", "-h"].includes(name);
  if (!listed) console.error(`Cannot ${command} "${name}": there is no such script\n`);
  console.log(`npm run ${command} -- NAME [--runtime=${runtimes.join("|")}] [arguments]`);
  console.log(`npm run ${command} -- NAME --help\n`);
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
