import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));
const ignored = new Set([
  ".git",
  "node_modules",
  "dist",
  ".runtimes",
  ".data",
  "coverage",
  ".site",
]);

/** Reads a file of the checkout. */
export function read(path: string): string {
  return readFileSync(root + path, "utf8");
}

/** Tells whether the checkout has a file. */
export function exists(path: string): boolean {
  return existsSync(root + path);
}

function walk(folder: string): string[] {
  return readdirSync(root + folder, { withFileTypes: true }).flatMap((entry) => {
    if (ignored.has(entry.name)) return [];
    const path = folder + entry.name;
    return entry.isDirectory() ? walk(`${path}/`) : entry.isFile() ? [path] : [];
  });
}

/** Every file of the checkout that git would track, relative to it, in order. */
export const allFiles: readonly string[] = walk("").sort();

/** The TypeScript below some folders, or at exactly those paths. */
export function sources(...places: readonly string[]): readonly string[] {
  return allFiles.filter((path) =>
    path.endsWith(".ts") &&
    places.some((place) => path === place || path.startsWith(`${place}/`))
  );
}
