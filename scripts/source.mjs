// node --import ./scripts/source.mjs examples/…: in the checkout, the package's own name means its
// sources, as it does on Bun (tsconfig.json, "paths") and Deno (deno.json, "imports").
import { registerHooks } from "node:module";
import { readJson, root } from "./lib/runtimes.mjs";
import { pathToFileURL } from "node:url";

const { exports: subpaths } = readJson("deno.json");
const sources = new Map(
  Object.entries(subpaths).map(([subpath, file]) => [
    subpath.replace(".", "holdfast"),
    new URL(file, pathToFileURL(root)).href,
  ]),
);

registerHooks({
  resolve: (specifier, context, next) => next(sources.get(specifier) ?? specifier, context),
});
