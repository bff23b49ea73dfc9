// Which files of the repository are pages of the site, and under which address.
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { root } from "../lib/runtimes.mjs";

/** What is made here: the pages as VitePress reads them, the site, its cache. Ignored by git. */
export const made = join(root, ".site");
export const staged = join(made, "pages");
export const built = join(made, "html");

/** Pages outside of `docs`. The home page stands for the README, which says the same at more length. */
const elsewhere = {
  "README.md": "index.md",
  "CHANGELOG.md": "changelog.md",
  "CONTRIBUTING.md": "contributing.md",
  "SECURITY.md": "security-policy.md",
  "SPEC.md": "spec.md",
  "bench/results": "results/index.md",
};

function markdownIn(folder) {
  return readdirSync(join(root, folder)).filter((name) => name.endsWith(".md")).sort();
}

/** The address of every page, by the path of its file in the repository. */
export const addresses = new Map([
  ...Object.entries(elsewhere),
  ...markdownIn("docs").map((name) => [`docs/${name}`, name]),
  ...markdownIn("bench/results").map((name) => [`bench/results/${name}`, `results/${name}`]),
]);

/** The file a page was made of; `README.md` and `docs/index.md` are both the home page. */
export const sources = new Map([...addresses].map(([source, address]) => [address, source]));

/** The first heading of a file. */
export function titleOf(path) {
  return /^# (.+)$/m.exec(readFileSync(join(root, path), "utf8"))?.[1] ?? path;
}

function listOfResults() {
  const lines = markdownIn("bench/results").map((name) =>
    `- [${titleOf(`bench/results/${name}`)}](./${name})`
  );
  return `# What was measured\n\nEach with the machine, the day and the command.\n\n${
    lines.join("\n")
  }\n`;
}

/** Comments are for the tests of the examples; on the site raw HTML is text, and they would show. */
function withoutComments(text) {
  return text.replace(/^<!-- .* -->\n/gm, "");
}

function put(address, text) {
  const path = join(staged, address);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

/** Puts every page but those of the API where VitePress looks for it. */
export function stage() {
  rmSync(staged, { recursive: true, force: true });
  for (const [source, address] of addresses) {
    if (source === "bench/results") put(address, listOfResults());
    else if (source !== "README.md") {
      put(address, withoutComments(readFileSync(join(root, source), "utf8")));
    }
  }
  cpSync(join(root, "docs", "images"), join(staged, "images"), { recursive: true });
  cpSync(join(root, "docs", ".vitepress", "public"), join(staged, "public"), { recursive: true });
}
