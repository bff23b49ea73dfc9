import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const peers = fileURLToPath(new URL("../_peers/", import.meta.url));

interface Manifest {
  readonly version?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

function manifest(path: string): Manifest {
  return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : {};
}

/**
 * Installs what the benchmarks compare with, where it is not there yet.
 *
 * @param folder Where the manifest is.
 * @returns Names and versions.
 * @throws {Error} If npm fails.
 */
export function installPeers(folder: string = peers): Readonly<Record<string, string>> {
  const { dependencies = {} } = manifest(join(folder, "package.json"));
  const installed = Object.entries(dependencies).every(([name, version]) =>
    manifest(join(folder, "node_modules", name, "package.json")).version === version
  );
  if (installed) return dependencies;
  console.log("installing what to compare with …");
  // npm's own script when npm runs us: there may be no other npm on the PATH.
  const script = process.env.npm_execpath;
  const npm = script?.endsWith(".js") ? [process.env.npm_node_execpath ?? "node", script] : ["npm"];
  // Not `ci`: it refuses a lock without the optional packages of platforms a registry does not have.
  const how = ["install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund"];
  const args = [...npm.slice(1), ...how];
  const options = { cwd: folder, stdio: "inherit", shell: process.platform === "win32" } as const;
  const { status } = spawnSync(npm[0] ?? "npm", args, options);
  if (status !== 0) throw new Error("Cannot install what to compare with: npm failed");
  return dependencies;
}
