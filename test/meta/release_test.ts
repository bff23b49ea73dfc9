import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { assert, assertEquals, runtime, skip, test } from "../harness/mod.ts";
import type { TestContext } from "../harness/types.ts";
import { read } from "./files.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const versioned = ["package.json", "package-lock.json", "deno.json", "adapters/cli/scaffold.ts"];

interface Ran {
  readonly code: unknown;
  readonly output: string;
}

function run(command: string, args: readonly string[], cwd: string): Promise<Ran> {
  const who = { NAME: "Test", EMAIL: "test@localhost" };
  const env: Record<string, string | undefined> = { ...process.env, GIT_CONFIG_GLOBAL: "" };
  for (const role of ["AUTHOR", "COMMITTER"]) {
    for (const [what, value] of Object.entries(who)) env[`GIT_${role}_${what}`] = value;
  }
  return new Promise((resolve) => {
    execFile(command, args, { cwd, env }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : error.code, output: (stdout + stderr).trim() });
    });
  });
}

function temp(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-release-"));
  t.defer(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const changelog = "# Changelog\n\n## [Unreleased]\n\n### Added\n\n- A thing.\n";

/** The lock without other packages, which have versions of their own. */
function lockOfOne(): string {
  const lock = JSON.parse(read("package-lock.json"));
  return `${JSON.stringify({ ...lock, packages: { "": lock.packages[""] } }, null, 2)}\n`;
}

/** A small checkout at 0.4.1 that has everything in which a version stands. */
async function checkout(t: TestContext): Promise<{
  readonly git: (...args: string[]) => Promise<Ran>;
  readonly release: (...args: string[]) => Promise<Ran>;
  readonly text: (path: string) => string;
  readonly write: (path: string, text: string) => Promise<void>;
}> {
  const folder = temp(t);
  const current: string = JSON.parse(read("package.json")).version;
  const git = (...args: string[]) => run("git", args, folder);
  await git("init", "--quiet", "--initial-branch=main");
  for (const path of versioned) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    const text = path === "package-lock.json" ? lockOfOne() : read(path);
    writeFileSync(join(folder, path), text.replaceAll(`${current}"`, '0.4.1"'));
  }
  const write = async (path: string, text: string): Promise<void> => {
    writeFileSync(join(folder, path), text);
    await git("add", "--all");
    await git("commit", "--quiet", "--message", "work");
  };
  await write("CHANGELOG.md", changelog);
  const script = join(root, "scripts", "release.mjs");
  return {
    git,
    release: (...args) =>
      run("node", [script, `--in=${folder}`, "--date=2026-12-24", ...args], root),
    text: (path) => readFileSync(join(folder, path), "utf8"),
    write,
  };
}

test("[ME15] a release writes the version wherever it stands, dates the changelog, commits and tags", async (t) => {
  const { git, release, text } = await checkout(t);
  const { code, output } = await release("minor");
  assertEquals([code, output.includes("push --atomic origin HEAD v0.5.0")], [0, true], output);
  for (const path of versioned) {
    assert(text(path).includes('0.5.0"') && !text(path).includes('0.4.1"'), path);
  }
  const dated = "## [Unreleased]\n\n## [0.5.0] - 2026-12-24\n";
  assertEquals(text("CHANGELOG.md"), changelog.replace("## [Unreleased]\n", dated));
  assertEquals(
    (await git("log", "-1", "--format=%s %D")).output,
    "Release 0.5.0 HEAD -> main, tag: v0.5.0",
  );
  assertEquals((await git("status", "--porcelain")).output, "");
  assertEquals((await release("--verify=v0.5.0")).code, 0);
  assertEquals((await release("--verify=v0.5.1")).code, 1);
  assertEquals((await release("--notes=v0.5.0")).output, "### Added\n\n- A thing.");
});

test("[ME15] a dry run says what would be done, and does nothing", async (t) => {
  const { git, release, text } = await checkout(t);
  const before = (await git("rev-parse", "HEAD")).output;
  const { code, output } = await release("1.0.0-rc.1", "--dry-run");
  assertEquals(code, 0, output);
  for (const path of [...versioned, "CHANGELOG.md"]) assert(output.includes(`would write ${path}`));
  assert(output.includes("would commit and tag v1.0.0-rc.1:\n\n### Added\n\n- A thing."), output);
  assertEquals(text("CHANGELOG.md"), changelog);
  assertEquals((await git("rev-parse", "HEAD")).output, before);
  assertEquals((await git("status", "--porcelain")).output, "");
  assertEquals((await git("tag")).output, "");
});

test("[ME15] what is not committed, known by two versions, released or empty is not released", async (t) => {
  const { git, release, text, write } = await checkout(t);
  const refused = async (wish: string, why: string): Promise<void> => {
    const { code, output } = await release(wish);
    assertEquals([code, output], [1, `Cannot release: ${why}`]);
  };
  await refused("0.4.0", '"0.4.0" is no version after 0.4.1');
  await refused("next", '"next" is no version after 0.4.1');
  await git("tag", "v0.4.1");
  await refused("0.4.1", '"0.4.1" is no version after 0.4.1');
  await write("CHANGELOG.md", `${changelog}\n### Removed\n\n- Another.\n`);
  const breaking =
    "CHANGELOG.md tells of a breaking change, which 0.4.2 after 0.4.1 does not allow";
  await refused("patch", breaking);
  await write(
    "CHANGELOG.md",
    "# Changelog\n\n## [Unreleased]\n\n## [0.4.1] - 2026-12-01\n\n- A.\n",
  );
  await refused("patch", 'CHANGELOG.md has nothing under "Unreleased"');
  const manifest = text("deno.json");
  await write("deno.json", manifest.replace("0.4.1", "0.4.0"));
  await refused("patch", "package.json has 0.4.1, but deno.json has 0.4.0");
  await git("rm", "--cached", "--quiet", "deno.json");
  await refused("patch", "the checkout has changes that are not committed");
});

/** A package with one subpath, and what is in its files. */
async function audit(t: TestContext, files: Readonly<Record<string, string>>): Promise<Ran> {
  const folder = temp(t);
  const target = { types: "./dist/mod.d.ts", default: "./dist/mod.js" };
  const good: Record<string, string> = {
    "package.json": JSON.stringify({ license: "MIT", exports: { ".": target } }),
    "LICENSE": "MIT License",
    "README.md": "",
    "CHANGELOG.md": "",
    "dist/mod.js": 'import "./src/a.js";\nconst text = `\nimport "./none.js";\n`;\n',
    "dist/mod.d.ts": 'export { A } from "./src/a.js";\n',
    "dist/src/a.js": "",
    "dist/src/a.d.ts": "",
  };
  for (const [path, text] of Object.entries({ ...good, ...files })) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return await run("node", [join(root, "scripts", "audit.mjs"), folder], root);
}

test("[ME16] the audit of the package finds what does not belong there, and what is missing", async (t) => {
  assertEquals(await audit(t, {}), { code: 0, output: "npm: 8 files" });
  const target = { default: "./dist/mod.js", types: "./dist/b.d.ts" };
  const { code, output } = await audit(t, {
    "package.json": JSON.stringify({
      license: "ISC",
      exports: { ".": target },
      bin: { b: "dist/mod.js" },
      scripts: { postinstall: "node x.js" },
      dependencies: { a: "1" },
    }),
    "dist/src/a.js": '//# sourceMappingURL=a.js.map\nexport * from "./b.js";\n',
    "dist/src/a_test.js": "",
    "dist/mod.d.ts": 'import type { C } from "./c.js";\n',
    ".env": "",
  });
  assertEquals(code, 1);
  assertEquals(output.split("\n").filter((line) => line.startsWith("FAILED ")).sort(), [
    "FAILED . does not name its types first",
    "FAILED . has no types: dist/b.d.ts is missing",
    "FAILED .env does not belong there",
    "FAILED LICENSE is not that of ISC",
    "FAILED dist/mod.d.ts imports ./c.js, which is missing",
    "FAILED dist/src/a.js has its source map at a.js.map, which is missing",
    "FAILED dist/src/a.js imports ./b.js, which is missing",
    "FAILED dist/src/a_test.js is of the tests",
    "FAILED package.json has dependencies",
    "FAILED package.json runs postinstall at its users'",
    "FAILED the command b does not say what runs it",
  ]);
});

const linted =
  "[ME17] the linter finds what is wrong in a workflow, and an action that is not pinned";

async function lint(t: TestContext): Promise<void> {
  const folder = temp(t);
  const text = read(".github/workflows/ci.yml")
    .replace(/@[\da-f]{40} # v\S+/, "@v7")
    .replace("timeout-minutes: 45", "timeout: 45")
    .replace("${{ matrix.runtime }}", "${{ matrix.os }}");
  writeFileSync(join(folder, "ci.yml"), text);
  const script = join(root, "scripts", "workflows.mjs");
  const { code, output } = await run("node", [script, folder], root);
  assertEquals(code, 1);
  const expected = [
    '"actions/checkout@v7" is not pinned to a commit',
    'unexpected key "timeout"',
    "the job tests has no timeout-minutes",
    'property "os" is not defined',
  ];
  assertEquals(expected.filter((what) => !output.includes(what)), [], output);
}

// It takes a second or more, and is the same process from wherever it is begun.
if (runtime === "node") test(linted, lint);
else skip(linted, "only on Node");

test("[ME17] the hosted workflow runs each step of .ci/run", () => {
  const steps = [
    ...read(".ci/run").matchAll(/^ *(?:step|suite) .*? npm run --silent (\S+)(.*)$/gm),
  ];
  assert(steps.length > 10, "found no steps");
  const hosted = read(".github/workflows/ci.yml");
  const run = new Set([...hosted.matchAll(/^ +- run: npm run (\S+)/gm)].map(([, name]) => name));
  assertEquals(steps.filter(([, name]) => !run.has(name)), []);
});
