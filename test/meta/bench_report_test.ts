import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { assert, assertEquals, test } from "../harness/mod.ts";
import type { TestContext } from "../harness/types.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** A copy of the pages of the benchmarks, and their charts. */
function pages(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-bench-"));
  t.defer(() => rmSync(folder, { recursive: true, force: true }));
  cpSync(join(root, "bench", "results"), join(folder, "results"), { recursive: true });
  return folder;
}

function report(folder: string): Promise<{ readonly code: unknown; readonly output: string }> {
  const args = [join(root, "scripts", "bench.mjs"), "--report", `--in=${folder}`];
  return new Promise((resolve) => {
    execFile("node", args, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : error.code, output: stdout + stderr });
    });
  });
}

/** Everything the report consists of, by name. */
function files(folder: string): Readonly<Record<string, string>> {
  const charts = readdirSync(join(folder, "results")).filter((name) => name.endsWith(".svg"))
    .sort();
  const paths = ["results.md", ...charts.map((name) => join("results", name))];
  return Object.fromEntries(paths.map((path) => [path, readFileSync(join(folder, path), "utf8")]));
}

test("[ME18] the report of the benchmarks is what their pages make, byte for byte", async (t) => {
  const folder = pages(t);
  const charts = readdirSync(join(folder, "results")).filter((name) => name.endsWith(".svg"));
  for (const name of charts) rmSync(join(folder, "results", name));
  assertEquals((await report(folder)).code, 0);
  assertEquals(files(folder), files(join(root, "bench")));
  assertEquals(await report(folder), { code: 0, output: "" });
});

const page = `# Sessions, <fast> & "slow"

2026-12-24; 1 core. Disk: none.

## bun 9

| read                   | CPU µs | × floor |
| ---------------------- | -----: | ------: |
| **holdfast, \`memory\`** |   20.0 |    2.00 |
| peer & <friends>       |  1,000 |     100 |
| broken                 |      - |       - |

| write            | CPU µs |
| ---------------- | -----: |
| holdfast, memory |   5.00 |

## What was promised

- bun: at most 10: 20, missed
- bun: at most 15: 20, missed (floor 18)
- bun: at most 30: 20, kept
`;

test("[ME18] a report has the figures, their ratios, the missed aims, and charts that are XML", async (t) => {
  const folder = pages(t);
  for (const name of readdirSync(join(folder, "results"))) rmSync(join(folder, "results", name));
  writeFileSync(join(folder, "results", "stash.md"), page);
  assertEquals((await report(folder)).code, 0);
  const { "results.md": text = "", [join("results", "stash_read.svg")]: svg = "" } = files(folder);
  assert(/\| \*\*holdfast, memory\*\* \| +20\.0 \| 1\.00 \|/.test(text), text);
  assert(/\| peer & <friends> +\| +1,000 \| 50\.0 \|/.test(text), text);
  assert(!text.includes("broken"), text);
  const missed = "- bun: at most 10: 20, missed\n- bun: at most 15: 20, missed (floor 18)\n";
  assert(text.includes(`1 of 3 kept; missed:\n\n${missed}`), text);
  assert(text.includes("> 2026-12-24; 1 core. Disk: none."), text);
  const tags = svg.replace(/<(\w+)\b[^<>]*\/>|<\/\w+>|<\w+\b[^<>]*>/g, "");
  assert(!/[<>]|&(?!amp;|lt;|gt;|quot;)/.test(tags), tags);
  assert(svg.includes(">peer &amp; &lt;friends&gt;</text>"), svg);
  // The longest bar is that of the largest figure, and the shorter one has its share of it.
  const widths = [...svg.matchAll(/class="(\w+)" x="300" .*? width="(\d+)"/g)]
    .map(([, kind, width]) => [kind, Number(width)]);
  assertEquals(widths, [["ours", 7], ["other", 370]]);
});

test("[ME18] a page without the figures of a chart is refused by its name", async (t) => {
  const folder = pages(t);
  writeFileSync(join(folder, "results", "sync.md"), "# Sync\n\n2026.\n");
  const { code, output } = await report(folder);
  assertEquals(code, 1);
  assert(
    output.includes('bench/results/sync.md has no figures for "From the commit of a row'),
    output,
  );
});
