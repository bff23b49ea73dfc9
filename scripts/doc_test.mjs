// npm run doc-test: every example in a doc comment runs, with the package's own name for imports.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { needRuntime, root } from "./lib/runtimes.mjs";
import { capture } from "./lib/run.mjs";

const places = ["mod.ts", "src", "adapters"].filter((place) => existsSync(join(root, place)));
const { path } = needRuntime("deno");
const args = ["test", "-A", "--doc", "--reporter=dot", ...places];
const { code, output } = await capture(path, args, { cwd: root, env: { NO_COLOR: "1" } });
const count = (what) => Number(new RegExp(`(\\d+) ${what}`).exec(output.slice(-400))?.[1] ?? 0);
const passed = count("passed");
// Examples that do not type-check fail before any of them is counted.
const failed = code === 0 ? 0 : Math.max(1, count("failed"));
if (code !== 0) console.log(output);
if (passed + failed === 0) console.log("no example ran");
console.log(`${passed} passed, ${failed} failed`);
process.exit(code !== 0 || passed === 0 ? 1 : 0);
