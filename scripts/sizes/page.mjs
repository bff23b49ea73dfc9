// docs/sizes.md, from what was measured.
import { cpus, totalmem } from "node:os";
import { table } from "../lib/table.mjs";
import { rounds } from "./imports.mjs";

const kib = (bytes) => (bytes / 1024).toFixed(1);

function installed(kibibytes) {
  if (kibibytes === 0) return "";
  return kibibytes < 1024 ? `${Math.round(kibibytes)} KiB` : `${(kibibytes / 1024).toFixed(1)} MiB`;
}

/** Columns in which only names stand. */
const texts = ["subpath", "packages"];

function bundleTable(rows, budgets) {
  const head = ["subpath", "minified", "gzip", "at most", "with its packages, gzip"];
  return table(
    head,
    rows.map((row) => [
      `\`${row.specifier}\``,
      kib(row.minifiedBytes),
      kib(row.gzipBytes),
      String(budgets[row.subpath]),
      row.imported.length === 0 ? "" : kib(row.withPeersBytes),
    ]),
    texts,
  );
}

function importTable(rows, { runtimes, times, floor }) {
  const head = ["subpath", ...runtimes.map(({ name, version }) => `${name} ${version}`)];
  const cells = (ms) => ms.map((value) => value.toFixed(1));
  return table(head, [
    ["an empty module", ...cells(floor)],
    ...rows.map(({ specifier }) => [`\`${specifier}\``, ...cells(times.get(specifier))]),
  ], texts);
}

function installTable(rows) {
  const head = ["subpath", "packages", "installed with all they need"];
  return table(
    head,
    rows.filter(({ peers }) => peers.length > 0).map(({ specifier, peers, peersKiB }) => [
      `\`${specifier}\``,
      peers.map((peer) => `\`${peer}\``).join(", "),
      installed(peersKiB),
    ]),
    texts,
  );
}

/** Writes the page. */
export function pageOf({ rows, size, imports, budgets }) {
  const all = cpus();
  const machine = `${all.length} cores (${all[0]?.model.trim() ?? "unknown"}), ${
    Math.round(totalmem() / 2 ** 30)
  } GiB, ${process.platform} ${process.arch}`;
  return `<!-- Written by \`npm run build && npm run sizes\`; do not edit. -->

# What each subpath weighs

The package is ${kib(size.packedBytes)} KiB to fetch and ${
    (size.unpackedBytes / 2 ** 20).toFixed(1)
  } MiB unpacked (${size.files} files, half of them declarations); it depends on
nothing. What you do not import is neither loaded nor bundled.

## Bundled

KiB of everything that \`import *\` brings, bundled and minified by rolldown; "gzip" is our own code, and may
not grow past "at most" without a commit that says why (\`npm run sizes -- --check\`, which CI runs). The last
column has the packages in it that the subpath imports at once.

${bundleTable(rows, budgets)}

## Imported

Milliseconds that the import takes as the first of a fresh process, files in the cache of the system; medians of
${rounds} processes each. ${new Date().toISOString().slice(0, 10)}; ${machine}.

${importTable(rows, imports)}

## Installed

What is to be installed beside Holdfast, in the versions its tests run with. Nothing for the subpaths that are not here.

${installTable(rows)}
`;
}
