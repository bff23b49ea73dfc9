import { mkdir, open, readFile, rename, rm } from "node:fs/promises";
import process from "node:process";

/** Error code of a file system call, such as `"ENOENT"`. */
export function codeOf(error: unknown): unknown {
  return (error as { code?: unknown } | null | undefined)?.code;
}

/** Makes what happened to the names in a directory survive a loss of power. */
export async function syncDirectory(path: string): Promise<void> {
  // Windows has no such call, and journals names by itself.
  if (process.platform === "win32") return;
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** Creates a directory that only this user may enter, if it is absent. */
export async function makeDirectory(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
}

/** Writes a new file and syncs its content; the name is not synced. */
export async function writeNewFile(path: string, content: Uint8Array): Promise<void> {
  const file = await open(path, "wx", 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Reads a file; `undefined` if it is absent. */
export async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** Writes a file beside its place, then moves it there in one step; nothing is left if it fails. */
export async function replaceFile(
  temporary: string,
  path: string,
  content: Uint8Array,
): Promise<void> {
  try {
    await writeNewFile(temporary, content);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    throw error;
  }
}
