import { readFileSync } from "node:fs";
import { assertEquals, test } from "../harness/mod.ts";

const root = new URL("../../", import.meta.url);

test("[DO26] the example of the guide is the file that is compiled, and it holds", async () => {
  const guide = readFileSync(new URL("docs/documents.md", root), "utf8");
  const blocks = Array.from(guide.matchAll(/```ts\n([\s\S]*?)```/g), ([, code = ""]) => code);
  const file = new URL("examples/documents/shared_list.ts", root);
  assertEquals(blocks, [readFileSync(file, "utf8")]);
  await import(file.href);
});
