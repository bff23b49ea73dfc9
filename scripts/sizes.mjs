// npm run sizes: what each subpath costs, written into docs/sizes.md: its bundle, what an import takes in
// a fresh process of each runtime, and what is installed with it. Needs a build.
//
//   npm run sizes -- --check    only compares the bundles and the package with their budgets
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bundles } from "./sizes/bundles.mjs";
import { coldImports } from "./sizes/imports.mjs";
import { installedKiB, packageSize } from "./sizes/installed.mjs";
import { pageOf } from "./sizes/page.mjs";
import { readJson, root } from "./lib/runtimes.mjs";

/** What subpaths import when it is needed, and not before; what they always import, a bundle tells. */
const lazily = {
  "./node": ["@hono/node-server", "ws"],
  "./postgres": ["postgres"],
  "./s3": ["@aws-sdk/client-s3"],
  "./nats": ["@nats-io/transport-node", "@nats-io/kv"],
  "./otel": ["@opentelemetry/api"],
};

/** KiB: of our own code of each subpath, with gzip, and of the package unpacked. */
const budgets = readJson("scripts/sizes/budgets.json");

/** One finding for each budget that does not hold. */
function beyond(rows, size) {
  const found = rows.flatMap(({ subpath, gzipBytes }) => {
    const budget = budgets.subpaths[subpath];
    if (gzipBytes <= budget * 1024) return [];
    return [`${subpath} is ${(gzipBytes / 1024).toFixed(1)} KiB with gzip, of ${budget} at most`];
  });
  if (size.unpackedBytes > budgets.package * 1024) {
    const kib = Math.ceil(size.unpackedBytes / 1024);
    found.push(`the package is ${kib} KiB unpacked, of ${budgets.package} at most`);
  }
  return found;
}

/** Peers that no subpath would bring into the table. */
function forgotten(rows) {
  const named = new Set(rows.flatMap(({ peers }) => peers));
  const peers = Object.keys(readJson("package.json").peerDependencies);
  return peers.filter((peer) => !named.has(peer))
    .map((peer) => `${peer} is a peer of no subpath in scripts/sizes.mjs`);
}

if (!existsSync(join(root, "dist", "mod.js"))) {
  console.error("Cannot measure: there is no build; run npm run build");
  process.exit(1);
}
const size = await packageSize();
const rows = (await bundles()).map((row) => {
  const peers = [...new Set([...row.imported, ...(lazily[row.subpath] ?? [])])];
  return { ...row, peers, peersKiB: installedKiB(peers) };
});
const findings = [...beyond(rows, size), ...forgotten(rows)];
for (const finding of findings) console.error(`FAILED ${finding}`);
if (!process.argv.includes("--check")) {
  const imports = await coldImports(rows);
  writeFileSync(
    join(root, "docs", "sizes.md"),
    pageOf({ rows, size, imports, budgets: budgets.subpaths }),
  );
}
const total = rows.reduce((sum, { gzipBytes }) => sum + gzipBytes, 0);
console.log(`${rows.length} subpaths, ${(total / 1024).toFixed(0)} KiB with gzip one by one`);
process.exit(findings.length === 0 ? 0 : 1);
