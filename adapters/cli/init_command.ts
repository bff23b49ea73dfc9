import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import process from "node:process";
import { type CliOutput, type Command, messageOf } from "./output.ts";
import { filesOf, type Runtime, type Wish } from "./scaffold.ts";
import { command, type Given, type Outcome, UsageError } from "./verb.ts";

const HELP = `holdfast init [FOLDER] [options]

  Begins an application in a folder (this one if left out): Hono, a session whose state is kept in
  SQLite, and a test. Asks for what is left out if there is a terminal. Never writes over a file
  without --force, and installs nothing.

  --runtime bun|deno|node   what it runs on (the one that runs this)
  --live                    with a live view, over a socket
  --name NAME               its name (that of the folder)
  --holdfast SPEC           where holdfast comes from, for package.json: a version or file:…tgz
  --force                   writes over files that are there
  --json                    {"ok":true,"folder":…,"runtime":…,"live":false,"files":[…],"next":[…]}

Ends with 0, 1 if files are in the way or cannot be written, 2 if the arguments are wrong.`;

/** `holdfast init` */
export const initCommand: Command = command({
  help: HELP,
  options: {
    runtime: { type: "string" },
    live: { type: "boolean" },
    name: { type: "string" },
    holdfast: { type: "string" },
    force: { type: "boolean" },
  },
  words: [0, 1],
  run: async (given, output) => {
    const folder = resolve(output.cwd, given.positionals[0] ?? ".");
    const wish = await wishOf(given, output, folder);
    const files = filesOf(wish);
    return write(folder, files, wish, given.flag("force"), output.cwd);
  },
});

async function wishOf(given: Given, { ask }: CliOutput, folder: string): Promise<Wish> {
  const asks = given.flag("json") ? undefined : ask;
  const here = runningOn();
  let runtime = given.text("runtime");
  if (runtime === undefined) {
    runtime = (await asks?.(`Runtime: bun, deno or node? [${here}] `)) || here;
  }
  if (runtime !== "bun" && runtime !== "deno" && runtime !== "node") {
    throw new UsageError("Cannot begin: the runtime is not bun, deno or node");
  }
  let live = given.flag("live");
  if (!live && given.text("runtime") === undefined && asks !== undefined) {
    live = /^y(es)?$/i.test(await asks("With a live view? [y/N] "));
  }
  const fallback = basename(folder).toLowerCase().replace(/[^a-z0-9_-]+/g, "-").replace(
    /^[-_]+/,
    "",
  );
  const name = given.text("name") ?? (fallback === "" ? "app" : fallback.slice(0, 63));
  if (!/^[a-z0-9][a-z0-9_-]{0,62}$/.test(name)) {
    throw new UsageError("Cannot begin: a name is 1 to 63 of a-z, 0-9, _ and -");
  }
  const holdfast = given.text("holdfast");
  if (holdfast !== undefined && runtime === "deno") {
    throw new UsageError('Cannot begin: --holdfast is for package.json; Deno has "links"');
  }
  return { runtime, live, name, holdfast };
}

function runningOn(): Runtime {
  if (process.versions["bun"] !== undefined) return "bun";
  return process.versions["deno"] === undefined ? "node" : "deno";
}

function write(
  folder: string,
  files: Readonly<Record<string, string>>,
  { runtime, live }: Wish,
  force: boolean,
  cwd: string,
): Outcome {
  const names = Object.keys(files);
  const there = names.filter((name) => existsSync(join(folder, name)));
  if (there.length > 0 && !force) {
    throw new Error(`Cannot write over ${there.join(", ")}: give --force, or another folder`);
  }
  const made: string[] = [];
  for (const [name, text] of Object.entries(files)) {
    const path = join(folder, name);
    const isNew = !existsSync(path);
    try {
      mkdirSync(dirname(path), { recursive: true });
      // Exclusively, so that a file made meanwhile is not lost either.
      writeFileSync(path, text, { flag: force ? "w" : "wx" });
      if (isNew) made.push(path);
    } catch (cause) {
      // Half of an application would be in the way of the next try.
      if (isNew && (cause as { code?: unknown }).code !== "EEXIST") made.push(path);
      for (const one of made) rmSync(one, { force: true });
      throw new Error(`Cannot write ${join(relative(cwd, folder), name)}: ${messageOf(cause)}`, {
        cause,
      });
    }
  }
  const place = relative(cwd, folder);
  const next = [...(place === "" ? [] : [`cd ${quoted(place)}`]), ...NEXT[runtime]];
  const note = noteOn(runtime, process.versions["node"] ?? "", runningOn());
  return {
    ...(note === undefined ? {} : { notes: [note] }),
    data: { folder, runtime, live, files: names, next },
    lines: [
      ...names.map((name) => `wrote ${join(place, name)}`),
      "",
      "Next:",
      ...next.map((l) => `  ${l}`),
    ],
  };
}

/** What stands in the way of the next steps: this Node, if it is the one that is to run them. */
export function noteOn(runtime: Runtime, node: string, here: Runtime): string | undefined {
  if (runtime !== "node" || here !== "node") return undefined;
  const [major = 0, minor = 0] = node.split(".").map(Number);
  if (major > 22 || (major === 22 && minor >= 18)) return undefined;
  return `(it takes Node 22.18 or newer, which runs TypeScript and has SQLite; this is ${node})`;
}

/** As a shell takes it for one word, and `cd` for no option. */
function quoted(place: string): string {
  const path = place.startsWith("-") ? `./${place}` : place;
  return /^[\p{L}\p{N}_./@%+:,=-]+$/u.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}

const NEXT: Readonly<Record<Runtime, readonly string[]>> = {
  bun: ["bun install", "bun test", "bun run start"],
  deno: ["deno install", "deno task test", "deno task start"],
  node: ["npm install", "npm test", "npm start"],
};
