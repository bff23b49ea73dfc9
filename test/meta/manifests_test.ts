import { assert, assertEquals, test } from "../harness/mod.ts";
import { exists, read } from "./files.ts";

type Target = string | Readonly<Record<string, string>>;

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly exports: Readonly<Record<string, Target>>;
  readonly imports?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
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
  const { "@std/assert": _, ...own } = jsr.imports ?? {};
  assertEquals(own, aliases);
  const paths = tsconfig.compilerOptions?.paths ?? {};
  for (const [name, file] of Object.entries(aliases)) {
    const [pattern, target] = name.split("/").length === 1
      ? [name, file]
      : [`${npm.name}/*`, file.replace(`/${name.slice(npm.name.length + 1)}/`, "/*/")];
    assertEquals(paths[pattern], [target], name);
  }
});

test("[ME6] the package depends on nothing, and the checkout on exact versions", () => {
  assertEquals(npm.dependencies, undefined);
  const versions = Object.values(npm.devDependencies ?? {});
  assert(versions.length > 0, "package.json lists no devDependencies");
  assertEquals(versions.filter((version) => !/^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(version)), []);
});
