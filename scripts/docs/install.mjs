// What makes the site has a manifest of its own: it would double what npm install takes.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { root } from "../lib/runtimes.mjs";

const place = join(root, "docs", ".vitepress");

function manifestOf(folder) {
  const path = join(folder, "package.json");
  return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : {};
}

function installed() {
  return Object.entries(manifestOf(place).dependencies).every(([name, version]) =>
    manifestOf(join(place, "node_modules", name)).version === version
  );
}

/**
 * Installs VitePress and TypeDoc, exactly as locked, where they are not there yet.
 *
 * @returns {boolean} Whether they are there.
 */
export function installTools() {
  if (installed()) return true;
  // Without peers: TypeDoc finds the TypeScript of the checkout. The binaries are packages.
  const args = ["ci", "--omit=peer", "--ignore-scripts", "--no-audit", "--no-fund"];
  const script = process.env.npm_execpath;
  const [command, first] = script?.endsWith(".js") ? [process.execPath, [script]] : ["npm", []];
  const options = { cwd: place, stdio: "inherit", shell: process.platform === "win32" };
  return spawnSync(command, [...first, ...args], options).status === 0 && installed();
}

/** Where one of them begins. */
export function toolFile(name) {
  return createRequire(join(place, "package.json")).resolve(name);
}

/** Loads one of them. The name is no literal, so that nothing looks for it before it is installed. */
export function loadTool(name) {
  return import(pathToFileURL(toolFile(name)).href);
}
