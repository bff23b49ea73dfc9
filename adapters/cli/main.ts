import { realpathSync } from "node:fs";
import process from "node:process";
import { createInterface } from "node:readline/promises";
import { fileURLToPath } from "node:url";
import type { CliOutput } from "./output.ts";

/** What is used of standard output and standard error. */
interface Writer {
  write(text: string): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
}

type Run = (args: readonly string[], output: CliOutput) => Promise<number>;

/** Runs the command line if the module is what the process was started with. */
export async function isMain(
  meta: { readonly url: string; readonly main?: boolean },
  run: Run,
): Promise<void> {
  if (!(meta.main ?? startedWith(meta.url))) return;
  const [out, err] = [writerTo(process.stdout), writerTo(process.stderr)];
  process.exitCode = await run(process.argv.slice(2), {
    out: (line) => out(`${line}\n`),
    error: (line) => err(`${line}\n`),
    env: process.env,
    cwd: process.cwd(),
    ...(process.stdin.isTTY && process.stderr.isTTY ? { ask } : {}),
    ...(process.stderr.isTTY ? { progress: (text: string) => err(`\r\x1b[K${text}`) } : {}),
  });
}

/**
 * Writes to a stream until nobody reads it any more, as behind `| head`: that is no error, and the
 * command goes on to its end. Node tells by an event, Bun and Deno may throw.
 */
function writerTo(stream: Writer): (text: string) => void {
  stream.on("error", ifNotClosed);
  return (text) => {
    try {
      stream.write(text);
    } catch (error) {
      ifNotClosed(error);
    }
  };
}

function ifNotClosed(error: unknown): void {
  const { code, name } = error as { readonly code?: unknown; readonly name?: unknown };
  if (code !== "EPIPE" && name !== "BrokenPipe") throw error;
}

// Questions are no part of the answer, which may be piped on.
const ask = (question: string): Promise<string> => askOn(question, process.stdin, process.stderr);

/**
 * Asks for a line.
 *
 * @throws {Error} If there is none, as after Ctrl+D or Ctrl+C: not every runtime ends the question then.
 */
export async function askOn(
  question: string,
  input: NodeJS.ReadableStream,
  output: NodeJS.WritableStream,
): Promise<string> {
  const lines = createInterface({ input, output });
  const over = new Promise<never>((_, reject) => {
    lines.once("close", () => reject(new Error("Cannot go on: the question was not answered")));
  });
  const answer = lines.question(question);
  try {
    return (await Promise.race([answer, over])).trim();
  } finally {
    // What is left of them is of no use to anybody.
    for (const one of [answer, over]) one.catch(() => {});
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
