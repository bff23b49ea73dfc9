import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { assert, assertEquals, test } from "../harness/mod.ts";

const root = new URL("../../", import.meta.url);
const guide = readFileSync(new URL("docs/objects.md", root), "utf8");
const blocks = Array.from(guide.matchAll(/```ts\n([\s\S]*?)```/g), ([, code = ""]) => code);
const examples = ["rate_limiter", "shopping_cart", "reminder"];

/** Points the package's own name, and packages, to where they are. */
function located(code: string): string {
  return code.replace(/ from "([^".]+)"/g, (_, name: string) => {
    if (name.startsWith("node:")) return ` from "${name}"`;
    const [own, subpath] = name.split("/");
    if (own !== "holdfast") return ` from ${JSON.stringify(import.meta.resolve(name))}`;
    const door = subpath === undefined ? "mod.ts" : `adapters/${subpath}/mod.ts`;
    return ` from ${JSON.stringify(new URL(door, root).href)}`;
  });
}

test("[OJ35] the examples of the guide are the files that are compiled", () => {
  for (const [n, name] of examples.entries()) {
    const file = readFileSync(new URL(`examples/objects/${name}.ts`, root), "utf8");
    assertEquals(blocks[n], file, name);
  }
});

test("[OJ35] every example of the guide runs, and its assertions hold", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-guide-"));
  t.defer(() => rmSync(folder, { recursive: true, force: true }));
  assertEquals(blocks.length, examples.length + 1);
  for (const [n, code] of blocks.entries()) {
    assert(code.includes("assert."), `example ${n} asserts nothing`);
    const file = join(folder, `example_${n}.mts`);
    writeFileSync(file, located(code));
    await import(pathToFileURL(file).href);
  }
});

test("[OJ35] an example whose assertion does not hold would be noticed", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-guide-"));
  t.defer(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "wrong.mts");
  writeFileSync(file, located(blocks.at(-1)?.replace("[7, { count: 7 }]", "[8, {}]") ?? ""));
  const failure = await import(pathToFileURL(file).href).then(() => undefined, (error) => error);
  assert(failure instanceof Error && /deep-equal|Expected values/.test(failure.message));
});
