import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { assert, assertEquals, runtime, skip, test } from "../harness/mod.ts";
import type { TestContext } from "../harness/types.ts";

const harness = new URL("../harness/mod.ts", import.meta.url).href;
const script = fileURLToPath(new URL("../../scripts/test.mjs", import.meta.url));
const begin = `import { skip, test } from ${JSON.stringify(harness)};\n`;

/** Runs `npm test` over made-up suites, on the runtime we are on. */
async function runSuites(
  t: TestContext,
  suites: Readonly<Record<string, string>>,
): Promise<{ readonly code: unknown; readonly lines: readonly string[] }> {
  const folder = await mkdtemp(join(tmpdir(), "holdfast-runner-"));
  t.defer(() => rm(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(suites)) {
    await writeFile(join(folder, `${name}_test.ts`), text);
  }
  const args = [script, `--in=${folder}`, `--runtime=${runtime}`, "--no-skip"];
  return await new Promise((resolve) => {
    execFile("node", args, (error, stdout) => {
      const lines = stdout.trimEnd().split("\n").map((line) => line.trim());
      resolve({ code: error === null ? 0 : error.code, lines });
    });
  });
}

/** What it blames, without the folder. */
function blamed(lines: readonly string[]): readonly string[] {
  return lines.filter((line) => /^FAILED \S+_test\.ts/.test(line))
    .map((line) => line.replace(/^FAILED \S*\//, "").replace(/\(\d+\)/, "(…)"));
}

test("[ME13] what passes is counted", async (t) => {
  const { code, lines } = await runSuites(t, {
    good: `${begin}test("[ME13] a <b> & \\"c\\"", () => {}); test("[ME13] d", async () => {});`,
    foreign: `${begin}test("[ME13] e", () => {}); skip("[ME13] f", "only on another runtime");`,
  });
  assertEquals([code, lines.at(-1)], [0, "3 passed, 0 failed, 1 skipped"]);
  assert(
    lines.includes("skipped: [ME13] f (skipped: only on another runtime)"),
    "the reason is missing",
  );
});

test("[ME13] what fails in any way is counted and named", async (t) => {
  const { code, lines } = await runSuites(t, {
    bad: `${begin}test("[ME13] a", () => {}); test("[ME13] b", () => { throw new Error("no"); });`,
    empty: "export {};",
    load: 'throw new Error("no");',
    reason: `${begin}test("[ME13] c", () => {}); skip("[ME13] d", "it is hard");`,
  });
  assertEquals(blamed(lines), [
    "bad_test.ts: [ME13] b",
    "empty_test.ts registers no test",
    "load_test.ts ended with code 1",
    "reason_test.ts: [ME13] d (skipped: it is hard)",
  ]);
  assertEquals([code, lines.at(-1)], [1, "2 passed, 4 failed, 1 skipped"]);
});

test("[ME13] nothing at all is a failure", async (t) => {
  const { code, lines } = await runSuites(t, {});
  assertEquals([code, lines.at(-1)], [1, "0 passed, 1 failed"]);
});

// Who is left in a process group is read from /proc.
const onLinux = existsSync("/proc/self/stat") ? test : skipElsewhere;

function skipElsewhere(name: string): void {
  skip(name, "only on Linux");
}

onLinux("[ME13] a process left behind is a failure, and is stopped", async (t) => {
  const { code, lines } = await runSuites(t, {
    leak: `import { spawn } from "node:child_process";\n${begin}` +
      'test("[ME13] a", () => { spawn("sleep", ["600"], { stdio: "ignore" }).unref(); });',
  });
  assertEquals(blamed(lines), ["leak_test.ts left running: sleep (…)"]);
  assertEquals([code, lines.at(-1)], [1, "1 passed, 1 failed"]);
});
