// Where the runtimes are. Plain JavaScript: these scripts also run on Node 20, which reads no types.
import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The checkout. */
export const root = fileURLToPath(new URL("../../", import.meta.url));

/** What `npm run setup` installs, pinned: a new runtime is a commit. */
export const pinned = { deno: "2.9.6", node: "24.21.0" };

const windows = process.platform === "win32";
const libc = process.platform === "linux" ? "-glibc" : "";
const exe = windows ? ".exe" : "";

/** npm's package that carries the Node binary of this platform. */
export const nodePackage = `node-${windows ? "win" : process.platform}-${process.arch}`;

/** What Cloudflare Workers run on, for test/workers: a version is the date it knows flags up to. */
export const workerd = { version: "1.20261117.1", compatibilityDate: "2026-11-17" };

const workerdPlatforms = ["darwin-arm64", "darwin-x64", "linux-arm64", "linux-x64", "win32-x64"];

/** npm's package that carries its binary; `undefined` on a platform without one. */
export const workerdPackage = workerdPlatforms.includes(`${process.platform}-${process.arch}`)
  ? `@cloudflare/workerd-${windows ? "windows" : process.platform}-${
    process.arch === "x64" ? "64" : process.arch
  }`
  : undefined;

const modules = join(root, "node_modules");
const fetched = join(root, ".runtimes", "node_modules");

function bunPlaces() {
  const arch = process.arch === "arm64" ? "aarch64" : process.arch;
  const names = [`bun-${process.platform}-${arch}`, `bun-${process.platform}-${arch}-musl`];
  return [
    // `bun` moves the binary here in its install script; where npm runs none it stays below @oven.
    join(modules, "bun", "bin", "bun.exe"),
    ...names.map((name) => join(modules, "@oven", name, "bin", `bun${exe}`)),
  ];
}

function onPath(name) {
  return (process.env.PATH ?? "").split(delimiter).filter(Boolean)
    .map((folder) => join(folder, `${name}${exe}`));
}

const runtimes = {
  bun: {
    places: () => [...bunPlaces(), ...onPath("bun")],
    atLeast: [1, 2],
    hint: "run npm install",
  },
  deno: {
    places: () => [
      // The package of this platform; `deno` itself is a stub until its install script has run.
      join(fetched, "@deno", `${process.platform}-${process.arch}${libc}`, `deno${exe}`),
      ...onPath("deno"),
    ],
    atLeast: [2, 7],
    hint: "run npm run setup",
  },
  node: {
    places: () => [
      join(fetched, nodePackage, "bin", `node${exe}`),
      // Bun and Deno have one as well.
      ...("Bun" in globalThis || "Deno" in globalThis ? [] : [process.execPath]),
      ...onPath("node"),
    ],
    // The first that runs TypeScript without a flag.
    atLeast: [22, 18],
    hint: "run npm run setup",
  },
};

/** The names of the runtimes, in the order the suites run. */
export const names = Object.keys(runtimes);

function executable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The version a binary reports, as `1.2.3`; `undefined` if it does not run (as npm's stub). */
function versionOf(path) {
  const { status, stdout } = spawnSync(path, ["--version"], { encoding: "utf8" });
  return status === 0 ? /\d+\.\d+\.\d+/.exec(stdout)?.[0] : undefined;
}

function isAtLeast(version, [major, minor]) {
  const [m = 0, n = 0] = version.split(".").map(Number);
  return m > major || (m === major && n >= minor);
}

/**
 * Finds a runtime.
 *
 * @returns {{ name: string, path: string, version: string } | { name: string, missing: string }}
 */
export function findRuntime(name) {
  const { places, atLeast, hint } = runtimes[name];
  let seen = "";
  for (const path of places()) {
    if (!existsSync(path) || !executable(path)) continue;
    const version = versionOf(path);
    if (version === undefined) continue;
    if (isAtLeast(version, atLeast)) return { name, path, version };
    seen ||= ` (found ${version})`;
  }
  const wanted = `${name} ${atLeast.join(".")} or newer is not installed${seen}`;
  return { name, missing: `${wanted}: ${hint}` };
}

/**
 * Finds workerd, which is no runtime of the suites: it only runs what they start in it.
 *
 * @returns {{ path: string } | { missing: string }}
 */
export function findWorkerd() {
  if (workerdPackage === undefined) {
    return { missing: "only on platforms that workerd is built for" };
  }
  const path = join(fetched, ...workerdPackage.split("/"), "bin", `workerd${exe}`);
  if (!existsSync(path)) return { missing: "workerd is not installed: run npm run setup" };
  // Built against glibc: it is there on musl as well, and does not start.
  const starts = spawnSync(path, ["--version"]).status === 0;
  return starts ? { path } : { missing: "only on platforms that workerd starts on" };
}

/** Finds a runtime or ends the process with what to do. */
export function needRuntime(name) {
  const found = findRuntime(name);
  if ("path" in found) return found;
  console.error(`Cannot go on: ${found.missing}`);
  process.exit(1);
}

/** Reads a JSON file of the checkout. */
export function readJson(path) {
  return JSON.parse(readFileSync(join(root, path), "utf8"));
}
