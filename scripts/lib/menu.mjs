// Scripts of a folder, run by name on a runtime of choice.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { names as runtimes, needRuntime, root } from "./runtimes.mjs";
import { show } from "./run.mjs";

const runArgs = { bun: ["run"], deno: ["run", "-A", "--no-check"], node: [] };

function scriptsIn(folder) {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { recursive: true })
    .map((name) => name.replaceAll("\\", "/"))
    .filter((name) => name.endsWith(".ts") && !/(^|\/)_/.test(name))
    .map((name) => name.slice(0, -".ts".length))
    .sort();
}

/**
 * Runs what the command line names, or lists what there is.
 *
 * @param {string} command As the user typed it: `prove`.
 * @param {string} folder Where the scripts are; one that begins with `_` is a part of others.
 */
export async function menu(command, folder) {
  const [name, ...rest] = process.argv.slice(2);
  const scripts = scriptsIn(folder);
  if (name === undefined || !scripts.includes(name)) {
    if (name !== undefined) console.error(`Cannot ${command} "${name}": there is no such script\n`);
    console.log(`npm run ${command} -- NAME [--runtime=${runtimes.join("|")}] [arguments]\n`);
    console.log(scripts.map((script) => `  ${script}`).join("\n") || "  (none yet)");
    process.exit(name === undefined ? 0 : 2);
  }
  const chosen = rest.find((arg) => arg.startsWith("--runtime="));
  const runtime = needRuntime(chosen?.slice("--runtime=".length) ?? "bun");
  const args = rest.filter((arg) => arg !== chosen);
  const script = join(root, folder, `${name}.ts`);
  const all = [...runArgs[runtime.name], script, ...args];
  process.exit(await show(runtime.path, all, { cwd: root }));
}
