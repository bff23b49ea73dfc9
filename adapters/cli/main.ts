import { realpathSync } from "node:fs";
import process from "node:process";
import { createInterface } from "node:readline/promises";
import { fileURLToPath } from "node:url";
import type { CliOutput } from "./output.ts";

type Run = (args: readonly string[], output: CliOutput) => Promise<number>;

/** Runs the command line if the module is what the process was started with. */
export async function isMain(
  meta: { readonly url: string; readonly main?: boolean },
  run: Run,
): Promise<void> {
  if (!(meta.main ?? startedWith(meta.url))) return;
  process.exitCode = await run(process.argv.slice(2), {
    out: (line) => void process.stdout.write(`${line}\n`),
    error: (line) => void process.stderr.write(`${line}\n`),
    env: process.env,
    cwd: process.cwd(),
    ...(process.stdin.isTTY && process.stderr.isTTY ? { ask } : {}),
    ...(process.stderr.isTTY
      ? { progress: (text: string) => void process.stderr.write(`\r\x1b[K${text}`) }
      : {}),
  });
}

async function ask(question: string): Promise<string> {
  // Questions are no part of the answer, which may be piped on.
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return (await lines.question(question)).trim();
  } finally {
    lines.close();
  }
}

/** What `import.meta.main` says, on versions of Node that do not have it; npm starts us by a link. */
function startedWith(url: string): boolean {
  const [, script] = process.argv;
  if (script === undefined || !url.startsWith("file:")) return false;
  try {
    return realpathSync(script) === fileURLToPath(url);
  } catch {
    return false;
  }
}
