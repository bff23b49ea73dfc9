// node scripts/with.mjs <bun|deno|node> <args…>: runs a tool with the runtime the checkout uses.
import { needRuntime, root } from "./lib/runtimes.mjs";
import { show } from "./lib/run.mjs";

const [name, ...args] = process.argv.slice(2);
const { path } = needRuntime(name);
const code = await show(path, args, { cwd: root });
process.exit(code);
