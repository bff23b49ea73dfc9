// node scripts/audit.mjs FOLDER: looks through a package as npm unpacks it, and says what is wrong with it.
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, posix } from "node:path";

/** What the package may contain. */
const allowed = [
  /^dist\/(mod|(src|adapters)\/[\w/-]+)(\.d)?\.(js|ts)$/,
  /^(README\.md|LICENSE|CHANGELOG\.md|package\.json)$/,
];
const required = ["README.md", "LICENSE", "CHANGELOG.md", "package.json", "dist/mod.js"];

const folder = process.argv[2];
if (folder === undefined || !existsSync(join(folder, "package.json"))) {
  console.error("Cannot audit: say where the unpacked package is");
  process.exit(2);
}
const files = readdirSync(folder, { recursive: true })
  .map((path) => path.replaceAll("\\", "/"))
  .filter((path) => statSync(join(folder, path)).isFile())
  .sort();
const read = (path) => readFileSync(join(folder, path), "utf8");
const manifest = JSON.parse(read("package.json"));

function* contents() {
  for (const path of files) {
    if (!allowed.some((pattern) => pattern.test(path))) yield `${path} does not belong there`;
    if (/(^|\/)(test|tests|fixtures?)\/|_test\./.test(path)) yield `${path} is of the tests`;
  }
  for (const path of required) if (!files.includes(path)) yield `${path} is missing`;
  if (files.includes("LICENSE") && !read("LICENSE").includes(`${manifest.license} License`)) {
    yield `LICENSE is not that of ${manifest.license}`;
  }
}

/** Each subpath has a module and declarations, and a command says what runs it. */
function* subpaths() {
  for (const [subpath, target] of Object.entries(manifest.exports ?? {})) {
    if (typeof target === "string") continue;
    for (const kind of ["types", "default"]) {
      const path = target[kind]?.replace(/^\.\//, "");
      if (!files.includes(path)) yield `${subpath} has no ${kind}: ${path} is missing`;
    }
    if (Object.keys(target)[0] !== "types") yield `${subpath} does not name its types first`;
  }
  for (const [name, path] of Object.entries(manifest.bin ?? {})) {
    if (!files.includes(path)) yield `the command ${name} is missing: ${path}`;
    else if (!read(path).startsWith("#!")) yield `the command ${name} does not say what runs it`;
  }
}

const code = files.filter((path) => /\.(js|ts)$/.test(path));

/** Imports of files that are not there, and comments that point to maps. */
function* references() {
  for (const path of code) {
    // What stands in a template is no import.
    const text = read(path).replace(/`(?:[^`\\]|\\.)*`/gs, "``");
    const own = path.endsWith(".ts") ? ".d.ts" : ".js";
    const imports = text.matchAll(/^(?:import|export)\b[^"'\n]*["'](\.[^"']+)["']/gm);
    for (const [, specifier] of imports) {
      const target = posix.join(dirname(path), specifier).replace(/\.js$/, own);
      if (!files.includes(target)) yield `${path} imports ${specifier}, which is missing`;
    }
    const map = /^\/\/[#@] sourceMappingURL=(\S+)/m.exec(text)?.[1];
    if (map !== undefined && !files.includes(posix.join(dirname(path), map))) {
      yield `${path} has its source map at ${map}, which is missing`;
    }
  }
}

function* dependencies() {
  for (const kind of ["dependencies", "optionalDependencies", "bundledDependencies"]) {
    if (manifest[kind] !== undefined) yield `package.json has ${kind}`;
  }
  const scripts = Object.keys(manifest.scripts ?? {});
  const run = scripts.filter((name) => /^(pre|post)?install$/.test(name));
  if (run.length > 0) yield `package.json runs ${run.join(", ")} at its users'`;
}

const findings = [...contents(), ...subpaths(), ...references(), ...dependencies()];
for (const finding of findings) console.error(`FAILED ${finding}`);
console.log(`npm: ${files.length} files`);
process.exit(findings.length === 0 ? 0 : 1);
