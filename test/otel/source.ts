import { readFile } from "node:fs/promises";

/** Reads a file of the sources by its path from the top. */
export function sourceFile(path: string): Promise<string> {
  return readFile(new URL(`../../${path}`, import.meta.url), "utf8");
}
