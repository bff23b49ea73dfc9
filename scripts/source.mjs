// node --import ./scripts/source.mjs examples/…: in the checkout, the package's own name means its
// sources, as it does on Bun (tsconfig.json, "paths") and Deno (deno.json, "imports"). Node runs .ts
// as it is, but not .tsx: that goes through the TypeScript of the development dependencies.
import { createRequire, flushCompileCache, registerHooks } from "node:module";
import { readFileSync } from "node:fs";
import { readJson, root } from "./lib/runtimes.mjs";
import { fileURLToPath, pathToFileURL } from "node:url";

const { exports: subpaths } = readJson("deno.json");
const sources = new Map(
  Object.entries(subpaths).map(([subpath, file]) => [
    subpath.replace(".", "holdfast"),
    new URL(file, pathToFileURL(root)).href,
  ]),
);

function transpile(url) {
  const file = fileURLToPath(url);
  // Here and not above: it takes a third of a second to load.
  const { transpileModule, JsxEmit, ModuleKind, ScriptTarget } = createRequire(import.meta.url)(
    "typescript",
  );
  return transpileModule(readFileSync(file, "utf8"), {
    fileName: file,
    compilerOptions: {
      target: ScriptTarget.ES2023,
      module: ModuleKind.ESNext,
      jsx: JsxEmit.ReactJSX,
      verbatimModuleSyntax: true,
      inlineSourceMap: true,
      inlineSources: true,
    },
  }).outputText;
}

registerHooks({
  resolve: (specifier, context, next) => next(sources.get(specifier) ?? specifier, context),
  load: (url, context, next) =>
    url.startsWith("file:") && new URL(url).pathname.endsWith(".tsx")
      ? { format: "module", source: transpile(url), shortCircuit: true }
      : next(url, context),
});

// Tests kill what they start, and what Node has compiled is otherwise written at a regular end only.
if (process.env.NODE_COMPILE_CACHE !== undefined) setTimeout(flushCompileCache, 500).unref();
