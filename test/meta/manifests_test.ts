import { assert, assertEquals, test } from "../harness/mod.ts";
import { exists, read } from "./files.ts";
import { packages } from "./layers.ts";

type Target = string | Readonly<Record<string, string>>;

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly exports: Readonly<Record<string, Target>>;
  readonly imports?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly compilerOptions?: { readonly paths?: Readonly<Record<string, readonly string[]>> };
}

const npm: Manifest = JSON.parse(read("package.json"));
const jsr: Manifest = JSON.parse(read("deno.json"));
const tsconfig: Manifest = JSON.parse(read("tsconfig.json"));
const subpaths = Object.entries(jsr.exports).map(([subpath, file]) =>
  [subpath, String(file)] as const
);

test("[ME5] both manifests publish one package", () => {
  assertEquals(jsr.name, `@holdfast/${npm.name}`);
  assertEquals(jsr.version, npm.version);
  assertEquals(jsr.license, npm.license);
});

test("[ME5] both manifests list the same subpaths, for the same modules", () => {
  const expected = Object.fromEntries(subpaths.map(([subpath, file]) => {
    const built = file.replace("./", "./dist/").replace(/\.ts$/, "");
    return [subpath, { types: `${built}.d.ts`, default: `${built}.js` }];
  }));
  assertEquals(npm.exports, { ...expected, "./package.json": "./package.json" });
});

test("[ME5] every subpath is a module that exists", () => {
  assertEquals(subpaths.filter(([, file]) => !exists(file.slice(2))), []);
});

test("[ME5] in the checkout, the package's own name means the same modules", () => {
  const aliases = Object.fromEntries(
    subpaths.map(([subpath, file]) => [subpath.replace(".", npm.name), file]),
  );
  const own = Object.entries(jsr.imports ?? {}).filter(([, target]) => target.startsWith("./"));
  assertEquals(Object.fromEntries(own), aliases);
  const paths = tsconfig.compilerOptions?.paths ?? {};
  for (const [name, file] of Object.entries(aliases)) {
    const [pattern, target] = name.split("/").length === 1
      ? [name, file]
      : [`${npm.name}/*`, file.replace(`/${name.slice(npm.name.length + 1)}/`, "/*/")];
    assertEquals(paths[pattern], [target], name);
  }
});

test("[ME6] what adapters import from npm is an optional peer, in the same range on both sides", () => {
  const foreign = Object.entries(jsr.imports ?? {})
    .filter(([name, target]) => !target.startsWith("./") && name !== "@std/assert");
  const imported = [...new Set(Object.values(packages).flat())].sort();
  assertEquals(foreign.map(([name]) => name).sort(), imported);
  for (const [name, target] of foreign) {
    assertEquals(target, `npm:${name}@${npm.peerDependencies?.[name]}`);
    assertEquals(npm.peerDependenciesMeta?.[name], { optional: true });
  }
});

test("[ME6] the package depends on nothing, and the checkout on exact versions", () => {
  assertEquals(npm.dependencies, undefined);
  const site: Manifest = JSON.parse(read("docs/.vitepress/package.json"));
  const tools = [npm.devDependencies, site.dependencies].map((listed) =>
    Object.values(listed ?? {})
  );
  assert(tools.every(({ length }) => length > 0), "a manifest lists no tools");
  const versions = tools.flat();
  assertEquals(versions.filter((version) => !/^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(version)), []);
});

test("[ME14] each subpath has a budget for its bundle, and CI compares", () => {
  const budgets: { readonly subpaths: Readonly<Record<string, number>> } = JSON.parse(
    read("scripts/sizes/budgets.json"),
  );
  assertEquals(Object.keys(budgets.subpaths).sort(), subpaths.map(([subpath]) => subpath).sort());
  assertEquals(Object.entries(budgets.subpaths).filter(([, kib]) => !(kib > 0 && kib < 200)), []);
  assert(/^ *step "sizes" .* sizes -- --check$/m.test(read(".ci/run")), "CI does not compare");
});
