// The reference: a page for each subpath of the package, which TypeDoc makes of the doc comments.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readJson, root } from "../lib/runtimes.mjs";
import { loadTool, toolFile } from "./install.mjs";
import { idOf } from "./links.mjs";
import { made, staged } from "./pages.mjs";

const { name: jsrName, exports: subpaths } = readJson("deno.json");

/** The doors of the package, by the name of the page each has below `api`. */
export const doors = Object.entries(subpaths).map(([subpath, file]) => ({
  page: subpath === "." ? "holdfast" : subpath.slice("./".length),
  title: subpath.replace(".", "holdfast"),
  module: file.slice("./".length, -".ts".length),
}));

/** Types for the compiler: what keeps inference from a place, what a handler is made of, a helper of a runtime. */
const intentionallyNotExported = ["Known", "RunOf", "UpgradeWebSocket"];

/** Without tests, benches and examples, which would take most of the time. */
const tsconfig = join(made, "tsconfig.json");

const options = {
  entryPoints: Object.values(subpaths),
  tsconfig,
  // `npm run check` has looked.
  skipErrorChecking: true,
  name: jsrName,
  readme: "none",
  router: "module",
  entryFileName: "index",
  disableSources: true,
  excludeInternal: true,
  hideGenerator: true,
  hidePageHeader: true,
  hideBreadcrumbs: true,
  useCodeBlocks: true,
  parametersFormat: "table",
  interfacePropertiesFormat: "table",
  typeDeclarationFormat: "table",
  groupOrder: ["Functions", "Classes", "Variables", "Interfaces", "Type Aliases", "*"],
  pageTitleTemplates: { module: ({ name }) => doors.find(({ page }) => page === name).title },
  intentionallyNotExported,
  validation: { invalidLink: true, notExported: true, rewrittenLink: true },
};

/** The page that leads to the others, in the order of the manifest. */
function indexOf(project) {
  const rows = doors.map(({ page, title }) => {
    const { comment } = project.children.find(({ name }) => name === page);
    const [first] = comment.summary.map(({ text }) => text).join("").split(/(?<=[.:])\s/);
    return `| [\`${title}\`](./${page}.md) | ${first.replaceAll("|", "\\|").replace(/:$/, ".")} |`;
  });
  return `# Reference

Made of the doc comments of version ${
    readJson("package.json").version
  }. Examples name the package as on JSR, ` +
    `\`${jsrName}\`; from npm it is \`holdfast\`. They run in CI.

| import | what it is |
| ------ | ---------- |
${rows.join("\n")}
`;
}

/**
 * Mends links within a page: where the names of a type and of one of its properties differ in case
 * only, TypeDoc counts both as one, and links to the second.
 */
function mendLinks(path) {
  const text = readFileSync(path, "utf8");
  const times = new Map();
  for (const [, heading] of text.matchAll(/^#+ (.+)$/gm)) {
    times.set(idOf(heading), (times.get(idOf(heading)) ?? 0) + 1);
  }
  const mended = text.replace(
    /\]\(#([\w-]+)-(\d+)\)/g,
    (all, id, count) => times.get(id) <= Number(count) ? `](#${id})` : all,
  );
  writeFileSync(path, mended);
}

/**
 * Makes the pages.
 *
 * @throws {Error} For a warning too: a link to nothing, or a type that is public and cannot be named.
 */
export async function makeReference() {
  const files = Object.values(subpaths).map((file) => join(root, file));
  writeFileSync(tsconfig, JSON.stringify({ extends: "../tsconfig.json", files, include: [] }));
  const { Application, Converter } = await loadTool("typedoc");
  const app = await Application.bootstrapWithPlugins({
    ...options,
    // Found once it is installed.
    plugin: [toolFile("typedoc-plugin-markdown")],
    out: join(staged, "api"),
  });
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const child of project.children) {
      child.name = doors.find(({ module }) => module === child.name).page;
    }
  });
  const project = await app.convert();
  if (project !== undefined) {
    app.validate(project);
    await app.generateOutputs(project);
  }
  if (project === undefined || app.logger.hasErrors() || app.logger.hasWarnings()) {
    throw new Error("Cannot make the reference: see above");
  }
  for (const { page } of doors) mendLinks(join(staged, "api", `${page}.md`));
  writeFileSync(join(staged, "api", "index.md"), indexOf(project));
}
