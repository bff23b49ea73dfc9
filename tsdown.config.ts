import { readFileSync } from "node:fs";
import { defineConfig, type UserConfig } from "tsdown";

/** JSR's manifest lists the subpaths; a meta test holds package.json to the same list. */
const { exports: subpaths }: { exports: Record<string, string> } = JSON.parse(
  readFileSync(new URL("deno.json", import.meta.url), "utf8"),
);

const config: UserConfig = defineConfig({
  entry: Object.values(subpaths),
  root: ".",
  // One file per module, so that an import brings what it names and a stack trace says where.
  unbundle: true,
  format: "esm",
  // The same files run on every runtime, and end in .js.
  platform: "neutral",
  target: "es2023",
  // Declarations file by file, as isolatedDeclarations allows: no type checker takes part.
  dts: { oxc: true },
  deps: { neverBundle: [/^(node|bun):/] },
  failOnWarn: true,
});

export default config;
