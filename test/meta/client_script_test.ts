import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { fileURLToPath } from "node:url";
import { clientScript } from "../../adapters/live/client_script.ts";
import { assert, assertEquals, runtime, skip, test } from "../harness/mod.ts";

/** By zlib, as Node has it, and the command `gzip` makes less. What Bun and Deno have makes a little more. */
const spare = runtime === "node" ? 1 : 1.01;

function bytes(text: string): number {
  return gzipSync(text, { level: 9 }).length;
}

test("[LC40] the script of a page is small, and its second part named in the first", () => {
  assert(bytes(clientScript.text) <= 12_288 * spare, `${bytes(clientScript.text)} bytes`);
  assert(bytes(clientScript.more.text) <= 7168 * spare, `${bytes(clientScript.more.text)} bytes`);
  assert(clientScript.text.includes(`more.js?v=${clientScript.more.hash}`));
  assert(clientScript.text.startsWith("/*! with parts of idiomorph 0.8.0, 0BSD */"));
});

test("[LC40] hash and integrity are those of the text", () => {
  for (const { text, hash, integrity } of [clientScript, clientScript.more]) {
    const digest = (algorithm: string) => createHash(algorithm).update(text);
    assertEquals(hash, digest("sha256").digest("hex").slice(0, 16));
    assertEquals(integrity, `sha384-${digest("sha384").digest("base64")}`);
  }
});

const rebuilt = "[LC40] it is what npm run client makes of the sources";

if (runtime === "node") {
  test(rebuilt, () => {
    const script = fileURLToPath(new URL("../../scripts/client.mjs", import.meta.url));
    const { status, stdout, stderr } = spawnSync(process.execPath, [script, "--check"], {
      encoding: "utf8",
    });
    assertEquals([status, stderr], [0, ""], stdout);
  });
} else skip(rebuilt, "only on Node: it runs the bundler");
