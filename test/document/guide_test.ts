import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { assertEquals, test } from "../harness/mod.ts";

const root = new URL("../../", import.meta.url);
const doors = {
  holdfast: "mod.ts",
  "holdfast/memory": "adapters/memory/mod.ts",
  "holdfast/yjs": "adapters/yjs/mod.ts",
};

test("[DO26] the examples of the guide are the files that are compiled, and they hold", async (t) => {
  const guide = readFileSync(new URL("docs/documents.md", root), "utf8");
  const blocks = Array.from(guide.matchAll(/```ts\n([\s\S]*?)```/g), ([, code = ""]) => code);
  const examples = ["shared_list", "meeting_notes"].map((name) =>
    readFileSync(new URL(`examples/documents/${name}.ts`, root), "utf8")
  );
  assertEquals(blocks, examples);
  const folder = mkdtempSync(join(tmpdir(), "holdfast-guide-"));
  t.defer(() => rmSync(folder, { recursive: true, force: true }));
  for (const [n, example] of examples.entries()) {
    const file = join(folder, `example_${n}.mts`);
    // In the checkout the package's own name means the sources on some runtimes only.
    const located = Object.entries(doors).reduce(
      (code, [name, door]) => code.replace(`from "${name}"`, `from "${new URL(door, root).href}"`),
      example,
    );
    writeFileSync(file, located);
    await import(pathToFileURL(file).href);
  }
});
