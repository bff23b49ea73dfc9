import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { allFaults } from "../../adapters/testing/simulator/faults.ts";
import { assert, assertEquals, test } from "../harness/mod.ts";

const root = new URL("../../", import.meta.url);
const guide = readFileSync(new URL("docs/testing.md", root), "utf8");
const [code = "", more] = Array.from(guide.matchAll(/```ts\n([\s\S]*?)```/g), ([, text]) => text);

/** Points the package's own name to where it is. */
function located(text: string): string {
  return text.replace(/ from "holdfast(?:\/(\w+))?"/g, (_, subpath?: string) => {
    const door = subpath === undefined ? "mod.ts" : `adapters/${subpath}/mod.ts`;
    return ` from ${JSON.stringify(new URL(door, root).href)}`;
  });
}

async function run(text: string, folder: string): Promise<Error | undefined> {
  const file = join(folder, `example_${text.length}.mts`);
  writeFileSync(file, located(text));
  return await import(pathToFileURL(file).href).then(() => undefined, (error) => error);
}

test(
  "[SM11] the example of the guide runs, finds its bug, and would say if it did not",
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "holdfast-guide-"));
    t.defer(() => rmSync(folder, { recursive: true, force: true }));
    assertEquals(more, undefined);
    assertEquals(await run(code, folder), undefined);
    const harmless = await run(code.replace('paying("pay")', 'paying("payLater")'), folder);
    assertEquals(harmless?.name, "AssertionError");
  },
  { timeoutMs: 120_000 },
);

test("[SM2] the guide names every fault there is", () => {
  for (const fault of allFaults) assert(guide.includes(`\`${fault}\``), fault);
});
