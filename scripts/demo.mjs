// npm run demo:restart [-- --runtime=bun|deno|node]: rolls a server under your fingers.
import { join } from "node:path";
import { needRuntime, root } from "./lib/runtimes.mjs";
import { show } from "./lib/run.mjs";

const runArgs = {
  bun: ["run"],
  deno: ["run", "-A"],
  node: ["--no-warnings", "--import", new URL("./source.mjs", import.meta.url).href],
};
const chosen = process.argv.find((arg) => arg.startsWith("--runtime="));
const { name, path } = needRuntime(chosen?.slice("--runtime=".length) ?? "bun");
const demo = join(root, "examples/rolling_restart/demo.ts");
process.exit(await show(path, [...runArgs[name], demo], { cwd: root }));
