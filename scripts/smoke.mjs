// npm run smoke: installs the packed package into an empty folder, as a stranger would, and uses it
// there on every runtime.
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findRuntime, names, readJson, root } from "./lib/runtimes.mjs";
import { capture } from "./lib/run.mjs";

const folder = mkdtempSync(join(tmpdir(), "holdfast-smoke-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

const manifest = readJson("package.json");
const specifiers = Object.keys(manifest.exports)
  .filter((subpath) => subpath !== "./package.json")
  .map((subpath) => subpath.replace(".", manifest.name));

/** What subpaths stand on that bring no use without their packages. */
const peers = {
  "holdfast/client": ["idiomorph"],
  "holdfast/live": ["jose", "valibot"],
  "holdfast/inspector": ["jose", "valibot"],
  // The last two are what the others depend on.
  "holdfast/yjs": ["yjs", "lib0", "isomorphic.js"],
  "holdfast/yjs-client": ["y-protocols"],
};
const alone = specifiers.filter((specifier) => !(specifier in peers));

async function must(command, args, cwd) {
  const { code, output } = await capture(command, args, { cwd, env: { NO_COLOR: "1" } });
  if (code === 0) return;
  console.error(`${output}\nFAILED ${command} ${args.join(" ")}`);
  process.exit(1);
}

async function install() {
  await must("npm", ["pack", "--pack-destination", folder], root);
  const tarball = readdirSync(folder).find((name) => name.endsWith(".tgz"));
  mkdirSync(join(folder, "app"));
  const app = { private: true, type: "module", dependencies: { holdfast: `file:../${tarball}` } };
  writeFileSync(join(folder, "app", "package.json"), JSON.stringify(app));
  // Without the network: a package with dependencies would show here.
  await must("npm", ["install", "--offline", "--no-audit", "--no-fund"], join(folder, "app"));
}

/** The packages of the checkout. */
function installPeers() {
  for (const name of new Set(Object.values(peers).flat())) {
    const options = { recursive: true, dereference: true };
    cpSync(join(root, "node_modules", name), join(folder, "app", "node_modules", name), options);
  }
}

/** The declarations must stand on their own, without those of a runtime. */
async function checkTypes(resolution) {
  const [module, moduleResolution] = resolution;
  const lines = specifiers.map((specifier, i) => `export * as m${i} from "${specifier}";`);
  writeFileSync(join(folder, "app", "types.ts"), lines.join("\n"));
  const tsconfig = {
    compilerOptions: {
      module,
      moduleResolution,
      target: "ES2023",
      lib: ["ES2024", "DOM", "DOM.Iterable", "ESNext.Disposable"],
      types: [],
      strict: true,
      noEmit: true,
      skipLibCheck: false,
    },
    files: ["types.ts"],
  };
  writeFileSync(join(folder, "app", "tsconfig.json"), JSON.stringify(tsconfig));
  const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
  await must(process.execPath, [tsc, "-p", "."], join(folder, "app"));
  console.log(`types, ${moduleResolution}: ${specifiers.length} subpaths`);
}

const args = { bun: ["run"], deno: ["run", "-A"], node: [] };

async function use(name, what, how) {
  const runtime = findRuntime(name);
  if ("missing" in runtime) {
    console.log(`skipped ${runtime.missing}`);
    if (process.env.CI === "true") process.exit(1);
    return;
  }
  const script = "use.mjs";
  await must(runtime.path, [...args[name], script, ...what], join(folder, "app"));
  console.log(`${name} ${runtime.version}: ${what.length} subpaths ${how}, and they work`);
}

await install();
copyFileSync(join(root, "scripts", "smoke", "use.mjs"), join(folder, "app", "use.mjs"));
for (const name of names) await use(name, alone, "without any other package");
installPeers();
await checkTypes(["NodeNext", "NodeNext"]);
await checkTypes(["ESNext", "Bundler"]);
for (const name of names) await use(name, specifiers, "with those they are about");
