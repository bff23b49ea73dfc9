import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { assert, assertEquals, runtime, test, type TestContext } from "../harness/mod.ts";
import { temp } from "../adapters/fixtures/temp.ts";
import { run } from "./fixtures/run.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const subpaths: Readonly<Record<string, string>> =
  JSON.parse(readFileSync(join(root, "deno.json"), "utf8")).exports;

/**
 * Puts the library and its peers where an install would: the checkout as a package whose subpaths are
 * the sources, and the packages it is developed with. What npm would publish is tried out by `npm run smoke`.
 */
function install(folder: string): void {
  const modules = join(folder, "node_modules");
  for (const name of ["hono", "jose", "valibot", "ws", "@hono/node-server"]) {
    const place = join(modules, name);
    mkdirSync(dirname(place), { recursive: true });
    symlinkSync(join(root, "node_modules", name), place);
  }
  if (runtime === "deno") {
    const path = join(folder, "deno.json");
    const manifest = JSON.parse(readFileSync(path, "utf8"));
    for (const [subpath, file] of Object.entries(subpaths)) {
      manifest.imports[subpath.replace(".", "@holdfast/holdfast")] =
        new URL(file, new URL("../../", import.meta.url)).href;
    }
    for (const name of ["hono", "jose", "valibot"]) {
      const { exports } = JSON.parse(
        readFileSync(join(root, "node_modules", name, "package.json"), "utf8"),
      );
      assert(exports !== undefined, name);
    }
    delete manifest.imports.hono;
    manifest.nodeModulesDir = "manual";
    writeFileSync(
      join(folder, "package.json"),
      JSON.stringify({ dependencies: { hono: "*", jose: "*", valibot: "*" } }),
    );
    writeFileSync(path, JSON.stringify(manifest));
    return;
  }
  const place = join(modules, "holdfast");
  mkdirSync(place);
  for (const part of ["mod.ts", "src", "adapters"]) {
    symlinkSync(join(root, part), join(place, part));
  }
  const { version }: { version: string } = JSON.parse(
    readFileSync(join(root, "package.json"), "utf8"),
  );
  const manifest = { name: "holdfast", version, type: "module", exports: subpaths };
  writeFileSync(join(place, "package.json"), JSON.stringify(manifest));
}

/** Node runs no TypeScript below node_modules; a symbolic link is followed to the checkout. */
const COMMANDS = {
  bun: { test: ["test"], start: ["main.ts"] },
  deno: { test: ["test", "-A", "--no-check"], start: ["run", "-A", "--no-check", "main.ts"] },
  node: { test: ["--test"], start: ["main.ts"] },
};

function environment(more: Readonly<Record<string, string>> = {}): Record<string, string> {
  const { SECRET: _, NODE_ENV: __, NODE_TEST_CONTEXT: ___, ...rest } = process.env;
  return { ...rest, NO_COLOR: "1", ...more } as Record<string, string>;
}

async function begun(t: TestContext, ...args: string[]): Promise<string> {
  const folder = join(temp(t), "notes");
  const { code, out, error } = await run(dirname(folder), [
    "init",
    "notes",
    "--runtime",
    runtime,
    ...args,
  ]);
  assertEquals(code, 0, error);
  assert(out.includes("wrote notes/app.ts"), out);
  install(folder);
  return folder;
}

function ownTest(folder: string): void {
  const { status, stdout, stderr } = spawnSync(process.execPath, COMMANDS[runtime].test, {
    cwd: folder,
    env: environment(),
    encoding: "utf8",
    timeout: 60_000,
  });
  assertEquals(status, 0, stdout + stderr);
  assert(!/\b0 pass(ed)?\b/.test(stdout + stderr), stdout + stderr);
}

async function start(
  t: TestContext,
  folder: string,
): Promise<{ readonly url: string; readonly child: ChildProcess; readonly log: () => string }> {
  const child = spawn(process.execPath, COMMANDS[runtime].start, {
    cwd: folder,
    env: environment({ PORT: "0" }),
    stdio: ["ignore", "pipe", "pipe"],
  });
  t.defer(() => ended(child));
  let text = "";
  const url = await new Promise<string>((resolve, reject) => {
    const take = (part: unknown): void => {
      text += String(part);
      const found = /Listening on (\S+)/.exec(text)?.[1];
      if (found !== undefined) resolve(found);
    };
    child.stdout?.on("data", take);
    child.stderr?.on("data", take);
    child.on("exit", (code) => reject(new Error(`ended with ${code}: ${text}`)));
  });
  return { url, child, log: () => text };
}

function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.on("exit", () => resolve());
    child.kill("SIGKILL");
  });
}

test(
  "[CL13] what init writes passes its own test, starts, and keeps its state over kill -9",
  async (t) => {
    const folder = await begun(t);
    ownTest(folder);
    const first = await start(t, folder);
    const posted = await fetch(first.url, {
      method: "POST",
      headers: { origin: new URL(first.url).origin },
      body: new URLSearchParams({ note: "Buy kelp" }),
      redirect: "manual",
    });
    assertEquals(posted.status, 303, await posted.text());
    const cookie = posted.headers.get("set-cookie")?.split(";")[0] ?? "";
    const secret = readFileSync(join(folder, ".dev-secret"), "utf8");
    assert(/SECRET is not set: using the development secret/.test(first.log()), first.log());
    assert(!first.log().includes(secret), "the secret is in the log");
    await ended(first.child);

    const second = await start(t, folder);
    const page = await fetch(second.url, { headers: { cookie } });
    assert((await page.text()).includes("<li>Buy kelp</li>"));
    const ignored = readFileSync(join(folder, ".gitignore"), "utf8");
    for (const name of ["node_modules/", "*.db", ".dev-secret"]) {
      assert(
        ignored.includes(name),
        name,
      );
    }
  },
  { timeoutMs: 120_000 },
);

test("[CL13] so does what init writes with a live view", async (t) => {
  const folder = await begun(t, "--live");
  ownTest(folder);
  const { url } = await start(t, folder);
  const page = await (await fetch(url)).text();
  assert(page.includes('data-live-change="edit"'), page);
  assert(page.includes("[data-live-unsent]::after {"), "what may not have arrived shows");
  const script = /<script[^>]+src="([^"]+)"/.exec(page)?.[1] ?? "none";
  assertEquals((await fetch(new URL(script, url))).status, 200);
}, { timeoutMs: 120_000 });

test("[CL13] what init writes listens where HOST says, and says so", async (t) => {
  const folder = temp(t);
  for (const more of [[], ["--live"]]) {
    await run(folder, ["init", "--runtime", "bun", "--name", "x", "--force", ...more]);
    const main = readFileSync(join(folder, "main.ts"), "utf8");
    assert(main.includes('hostname: process.env["HOST"] || "127.0.0.1"'), main);
    assert(readFileSync(join(folder, "README.md"), "utf8").includes("| `HOST` "));
  }
});

test("[CL13] in production there is no start without a secret", async (t) => {
  const folder = await begun(t);
  const { status, stderr } = spawnSync(process.execPath, COMMANDS[runtime].start, {
    cwd: folder,
    env: environment({ PORT: "0", NODE_ENV: "production" }),
    encoding: "utf8",
    timeout: 60_000,
  });
  assertEquals(status, 1);
  assert(stderr.includes("SECRET is not set"), stderr);
  assert(!existsSync(join(folder, ".dev-secret")));
}, { timeoutMs: 120_000 });

test("[CL14] init writes over no file without --force", async (t) => {
  const folder = temp(t);
  writeFileSync(join(folder, "app.ts"), "mine");
  const refused = await run(folder, ["init", "--runtime", "bun", "--name", "x"]);
  assertEquals(refused.code, 1);
  assert(refused.error.includes("Cannot write over app.ts"), refused.error);
  assertEquals(readFileSync(join(folder, "app.ts"), "utf8"), "mine");
  assert(!existsSync(join(folder, "main.ts")));
  const forced = await run(folder, [
    "init",
    "--runtime",
    "bun",
    "--name",
    "x",
    "--force",
    "--json",
  ]);
  assertEquals([forced.code, JSON.parse(forced.out).next], [0, [
    "bun install",
    "bun test",
    "bun run start",
  ]]);
  assert(readFileSync(join(folder, "app.ts"), "utf8") !== "mine");
});

test("[CL14] what init says to type next can be typed, whatever the folder is called", async (t) => {
  const folder = temp(t);
  const names = {
    "my app": "cd 'my app'",
    "it's": "cd 'it'\\''s'",
    "größe": "cd größe",
    "a;b": "cd 'a;b'",
  };
  for (const [name, line] of Object.entries(names)) {
    const { out } = await run(folder, ["init", name, "--runtime", "node", "--json"]);
    assertEquals(JSON.parse(out).next[0], line);
  }
});

test("[CL14] init asks at a terminal for what was left out", async (t) => {
  const folder = temp(t);
  const answers = ["deno", "y"];
  const ask = () => Promise.resolve(answers.shift() ?? "");
  assertEquals((await run(folder, ["init", "new"], { ask })).code, 0);
  const app = readFileSync(join(folder, "new", "app.ts"), "utf8");
  assert(app.includes('from "@holdfast/holdfast/live"'), app);
  assertEquals(
    (await run(folder, ["init", "other"], { ask: () => Promise.resolve("perl") })).code,
    2,
  );
});
