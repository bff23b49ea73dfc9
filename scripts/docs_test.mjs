// npm run docs-test: the examples of README.md and docs type-check, and those marked so run.
//
// A comment before a block says what it leaves out, and that it runs; readers do not see it:
//
//   <!-- given: import type { Holdfast } from "holdfast"; declare const holdfast: Holdfast; -->
//   <!-- run -->
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findRuntime, root } from "./lib/runtimes.mjs";
import { capture } from "./lib/run.mjs";

const folder = join(root, ".docs-check");
const scratch = mkdtempSync(join(tmpdir(), "holdfast-docs-"));
process.on("exit", () => {
  rmSync(folder, { recursive: true, force: true });
  rmSync(scratch, { recursive: true, force: true });
});

/** The blocks of a page in `ts` and `tsx`, each with the line its first line has there. */
function blocksOf(page) {
  const lines = readFileSync(join(root, page), "utf8").split("\n");
  const blocks = [];
  let open;
  let hints = [];
  lines.forEach((line, i) => {
    const fence = /^```(\S*)/.exec(line);
    if (open !== undefined) {
      if (fence === null) return void open.code.push(line);
      if (open.language === "ts" || open.language === "tsx") blocks.push(open);
      open = undefined;
      hints = [];
    } else if (fence !== null) {
      open = { page, language: fence[1], line: i + 2, code: [], hints };
    } else if (/^<!-- (given: .*|run) -->$/.test(line)) {
      hints.push(line.slice("<!-- ".length, -" -->".length));
    } else if (line.trim() !== "") {
      hints = [];
    }
  });
  return blocks;
}

/** Writes a block where the line numbers are those of its page. */
function write(block) {
  const given = block.hints.filter((hint) => hint !== "run").map((hint) => hint.slice(7)).join(" ");
  const name = `${block.page.replaceAll(/[/.]/g, "_")}_${block.line}.${block.language}`;
  const before = `${"\n".repeat(Math.max(0, block.line - 2))}${given}\n`;
  writeFileSync(join(folder, name), `${before}${block.code.join("\n")}\nexport {};\n`);
  return { ...block, name };
}

async function checkTypes(blocks) {
  const tsconfig = {
    extends: "../tsconfig.json",
    compilerOptions: {
      declaration: false,
      isolatedDeclarations: false,
      noUnusedLocals: false,
      noUnusedParameters: false,
      noPropertyAccessFromIndexSignature: false,
    },
    include: ["*.ts", "*.tsx"],
  };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(tsconfig));
  const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
  const { output } = await capture(process.execPath, [tsc, "-p", folder], { cwd: root });
  const bad = new Set();
  for (const { name, page } of blocks) {
    if (output.includes(`${name}(`)) bad.add(name);
    for (const line of output.split("\n")) {
      if (line.includes(`${name}(`)) console.log(line.replace(/^\S*\(/, `${page}(`));
    }
  }
  // An error elsewhere is one of the sources, which another step looks at; but nothing hides it.
  if (bad.size === 0 && /error TS/.test(output)) {
    console.log(output);
    return blocks.length;
  }
  return bad.size;
}

async function run({ page, line, name }) {
  const bun = findRuntime("bun");
  if ("missing" in bun) throw new Error(bun.missing);
  const env = { NO_COLOR: "1", SECRET: randomBytes(32).toString("base64"), PORT: "0" };
  const limited = new Promise((resolve) => {
    setTimeout(() => resolve({ code: 1, output: "did not end within 30 s" }), 30_000).unref();
  });
  const ran = capture(bun.path, ["run", join(folder, name)], { cwd: scratch, env });
  const { code, output } = await Promise.race([ran, limited]);
  if (code === 0) return 0;
  console.log(`${page}(${line}): ends with ${code}\n${output}`);
  return 1;
}

const docs = readdirSync(join(root, "docs")).filter((name) => name.endsWith(".md")).sort();
mkdirSync(folder, { recursive: true });
const pages = ["README.md", ...docs.map((name) => `docs/${name}`)];
const blocks = pages.flatMap(blocksOf).map(write);
let failed = await checkTypes(blocks);
const running = blocks.filter(({ hints }) => hints.includes("run"));
for (const block of running) failed += await run(block);
const all = blocks.length + running.length;
console.log(`${blocks.length} examples checked, ${running.length} of them run`);
console.log(`${all - failed} passed, ${failed} failed`);
process.exit(failed > 0 || blocks.length === 0 || running.length === 0 ? 1 : 0);
