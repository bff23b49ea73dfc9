// How much of the disk the package and its peers take.
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { capture } from "../lib/run.mjs";
import { readJson, root } from "../lib/runtimes.mjs";

/**
 * Asks npm what it would publish.
 *
 * @returns {Promise<{ packedBytes: number, unpackedBytes: number, files: number }>}
 */
export async function packageSize() {
  const args = ["pack", "--dry-run", "--json", "--ignore-scripts"];
  const { code, output } = await capture("npm", args, { cwd: root, env: { NO_COLOR: "1" } });
  // npm writes its warnings into the same stream.
  const json = output.slice(output.search(/^[[{]/m), output.search(/^[\]}]/m) + 1);
  if (code !== 0 || json === "") throw new Error(`npm pack --dry-run: ${output}`);
  const packs = JSON.parse(json);
  const [{ size, unpackedSize, entryCount }] = Array.isArray(packs) ? packs : Object.values(packs);
  return { packedBytes: size, unpackedBytes: unpackedSize, files: entryCount };
}

/** The key of a package in the lock, as its importer at `from` finds it. */
function resolve(packages, from, name) {
  for (let folder = from;;) {
    const key = `${folder === "" ? "" : `${folder}/`}node_modules/${name}`;
    if (key in packages) return key;
    if (folder === "") return undefined;
    const up = folder.lastIndexOf("/node_modules/");
    folder = up === -1 ? "" : folder.slice(0, up);
  }
}

function bytesOf(folder) {
  let bytes = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    // A package inside has a key of its own.
    if (entry.isDirectory()) bytes += entry.name === "node_modules" ? 0 : bytesOf(path);
    else if (entry.isFile()) bytes += statSync(path).size;
  }
  return bytes;
}

/**
 * Adds up what is installed with some packages: themselves and all they depend on, in the versions of
 * the checkout.
 *
 * @param {string[]} names
 */
export function installedKiB(names) {
  const { packages } = readJson("package-lock.json");
  const keys = new Set(names.map((name) => resolve(packages, "", name)));
  for (const key of keys) {
    if (key === undefined) throw new Error(`package-lock.json lacks one of ${names.join(", ")}`);
    for (const name of Object.keys(packages[key].dependencies ?? {})) {
      keys.add(resolve(packages, key, name));
    }
  }
  const folders = [...keys].map((key) => join(root, key)).filter(existsSync);
  return folders.reduce((sum, folder) => sum + bytesOf(folder), 0) / 1024;
}
