import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { assert, assertEquals, test } from "../harness/mod.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const menus = { bench: "bench", prove: "scripts/prove" } as const;
type Command = keyof typeof menus;

/** Runs one as `npm run` does. What has begun by mistake is stopped. */
function run(command: Command, ...args: readonly string[]): Promise<readonly [unknown, string]> {
  const script = join(root, "scripts", `${command}.mjs`);
  return new Promise((resolve) => {
    execFile("node", [script, ...args], { timeout: 10_000 }, (error, stdout, stderr) => {
      resolve([error === null ? 0 : error.code, stderr + stdout]);
    });
  });
}

/** What a script begins with, and the options that it reads, with the helpers of the benchmarks or with `parseArgs`. */
function parts(path: string): { readonly header: string; readonly options: readonly string[] } {
  const source = readFileSync(path, "utf8");
  const read = source.matchAll(/\b(?:flag|option|numberOption)\("([\w-]+)"/g);
  const parsed = /options: \{([^]*?)\}\s*,?\s*\}\)/.exec(source)?.[1] ?? "";
  const named = [...read, ...parsed.matchAll(/"?([\w-]+)"?: \{ type/g)].map(([, name]) =>
    `--${name}`
  );
  return {
    header: source.slice(0, source.indexOf("\nimport ")),
    options: [...new Set(named)].filter((name) => name !== "--runtime"),
  };
}

test("[ME20] the header of each benchmark and proof names the options that it reads", () => {
  const paths = Object.values(menus).flatMap((folder) =>
    readdirSync(join(root, folder)).filter((name) => /^[a-z]\w*\.ts$/.test(name))
      .map((name) => join(root, folder, name))
  );
  assert(paths.length > 20, `${paths.length} scripts were found`);
  const missing = paths.flatMap((path) => {
    const { header, options } = parts(path);
    return options.filter((name) => !header.includes(name)).map((name) => `${path} ${name}`);
  });
  assertEquals(missing, []);
  const { options } = parts(join(root, "scripts", "prove", "kill.ts"));
  assertEquals(options, ["--kills", "--app", "--servers"]);
});

test("[ME20] --help says what one does, and another option than its own begins nothing", async () => {
  const [helped, header] = await run("bench", "objects", "--rounds=1", "-h");
  assert(helped === 0 && header.startsWith("Durable objects beside"), header);
  assertEquals(await run("bench", "objects", "--quik"), [
    2,
    `Cannot bench objects: it has no option "--quik"\n\n${header}`,
  ]);
  const [code, menu] = await run("prove", "--help");
  assert(code === 0 && menu.includes("\n  kill_objects\n"), menu);
});
