// npm start: the main job on the embedded default (SQLite), on Bun from devDependencies.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { needRuntime, root } from "./lib/runtimes.mjs";
import { show } from "./lib/run.mjs";

const main = "examples/order_wizard/main.ts";
if (!existsSync(join(root, main))) {
  console.error(`Cannot start: "${main}" does not exist`);
  process.exit(1);
}
const { path } = needRuntime("bun");
const code = await show(path, [join(root, main), ...process.argv.slice(2)], { cwd: root });
process.exit(code);
