// Bundles each subpath of the build, as an application's bundler would.
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { rolldown } from "rolldown";
import { readJson, root } from "../lib/runtimes.mjs";

const gzip = (text) => gzipSync(text, { level: 9 }).length;

/** A chunk and all it imports before it runs: what an importer has to load. */
function loadedWith(chunk, chunks) {
  const seen = new Set([chunk]);
  for (const { imports } of seen) {
    for (const other of chunks) if (imports.includes(other.fileName)) seen.add(other);
  }
  return [...seen];
}

/** What `import * from` brings, minified, and which packages it imports; other things stay outside. */
async function bundle(input, external) {
  const build = await rolldown({ input, external, platform: "node", tsconfig: false, cwd: root });
  const { output } = await build.generate({ format: "esm", minify: true });
  await build.close();
  const chunks = output.filter(({ type }) => type === "chunk");
  const loaded = loadedWith(chunks.find(({ isEntry }) => isEntry), chunks);
  const own = new Set(chunks.map(({ fileName }) => fileName));
  return {
    code: loaded.map(({ code }) => code).join(""),
    imported: loaded.flatMap(({ imports }) => imports).filter((name) => !own.has(name)),
  };
}

/**
 * Measures what each subpath brings.
 *
 * @returns {Promise<{ subpath: string, specifier: string, minifiedBytes: number, gzipBytes: number,
 *   imported: string[], withPeersBytes: number }[]>} `withPeersBytes` is that of `gzip` too.
 */
export async function bundles() {
  const { name, exports } = readJson("package.json");
  const builtin = /^(node|bun):/;
  const rows = [];
  for (const [subpath, target] of Object.entries(exports)) {
    if (typeof target === "string") continue;
    const input = join(root, target.default);
    const alone = await bundle(input, [builtin, /^[^./]/]);
    const imported = alone.imported.filter((specifier) => !builtin.test(specifier));
    const whole = imported.length === 0 ? alone : await bundle(input, [builtin]);
    rows.push({
      subpath,
      specifier: subpath.replace(".", name),
      minifiedBytes: Buffer.byteLength(alone.code),
      gzipBytes: gzip(alone.code),
      imported: imported.map((specifier) =>
        specifier.split("/").slice(0, specifier[0] === "@" ? 2 : 1).join("/")
      ),
      withPeersBytes: gzip(whole.code),
    });
  }
  return rows;
}
