import { assert, assertEquals, test } from "../harness/mod.ts";
import { exists, read, sources } from "./files.ts";
import { circles, layerProblems, reachProblems, resolve, spellingProblems } from "./layers.ts";
import { importsOf, type Source, split } from "./source.ts";

const library: ReadonlyMap<string, Source> = new Map(
  sources("src", "adapters").map((path) => [path, split(read(path))]),
);

type Check = (path: string, source: Source) => readonly string[];

function problems(check: Check): readonly string[] {
  assert(library.size > 0, "found no source to check");
  return [...library].flatMap(([path, source]) => check(path, source));
}

/** How many problems a made-up file has. */
function planted(check: Check, path: string, text: string): number {
  return check(path, split(text)).length;
}

test("[ME1] every import follows the layers", () => {
  assertEquals(problems(layerProblems), []);
});

test("[ME1] an import against the layers is found", () => {
  const cases: readonly (readonly [path: string, text: string, problems: number])[] = [
    ["src/core/a.ts", 'import { b } from "./b.ts";', 0],
    ["src/core/a.ts", 'import type { Clock } from "../ports/clock.ts";', 1],
    ["src/core/a.ts", 'const a = await import("node:fs");', 1],
    ["src/core/a.ts", 'import "npm:x";', 1],
    ["src/core/a.ts", '// import "npm:x";\nconst b = \'import "x"\';', 0],
    ["src/ports/a.ts", 'import type { E } from "../core/e.ts";', 0],
    ["src/ports/a.ts", 'import { E } from "../core/e.ts";', 1],
    ["src/object/a.ts", 'export * from "../stash/b.ts";', 1],
    ["src/stash/a.ts", 'import {\n  b,\n} from "../object/b.ts";', 0],
    ["src/core/a.ts", 'import { c } from "../../adapters/web/clock.ts";', 1],
    ["src/strange/a.ts", 'import { b } from "./b.ts";', 1],
    ["adapters/bun/a.ts", 'import { b } from "../node/b.ts";', 1],
    ["adapters/bun/a.ts", 'import { b } from "bun:sqlite";', 0],
    ["adapters/hono/a.ts", 'import type { Context } from "hono";', 1],
    ["adapters/live/a.ts", 'import { SignJWT } from "jose";', 0],
    ["adapters/live/a.ts", 'import { Hono } from "hono";', 1],
    ["src/live/a.ts", 'import { SignJWT } from "jose";', 1],
    ["adapters/testing/a.ts", 'import { m } from "../memory/mod.ts";', 0],
    ["adapters/web/a.ts", 'import { m } from "node:crypto";', 1],
  ];
  for (const [path, text, count] of cases) {
    assertEquals(planted(layerProblems, path, text), count, `${path}: ${text}`);
  }
});

test("[ME2] the engine reaches for nothing past its ports", () => {
  assertEquals(problems(reachProblems), []);
});

test("[ME2] reaching past the ports is found", () => {
  const bad = [
    "Date.now()",
    "new Date()",
    "performance.now()",
    "setTimeout(f, 1)",
    "Math.random()",
    "console.log(1)",
    "process.env",
    "Deno.cwd()",
    "Bun.file(x)",
    "globalThis.x",
    "await fetch(url)",
    "crypto.subtle",
    "`${Date.now()}`",
  ];
  for (const text of bad) assertEquals(planted(reachProblems, "src/core/a.ts", text), 1, text);
  const fine = [
    "// Date.now()",
    "/** setTimeout(f) */",
    'const a = "Deno.cwd()";',
    "const a = `Bun ${a.now()} console.log`;",
    "const a = /setTimeout/.test(b);",
    "new Date(now)",
    "this.#process(1)",
    "interface A { fetch(request: Request): Response; }",
  ];
  for (const text of fine) assertEquals(planted(reachProblems, "src/core/a.ts", text), 0, text);
  assertEquals(planted(reachProblems, "adapters/web/a.ts", "crypto.subtle"), 0);
  assertEquals(planted(reachProblems, "adapters/node/a.ts", "crypto.subtle"), 1);
});

test("[ME3] no modules import each other in a circle", () => {
  const imports = new Map([...library].map(([path, source]) => [
    path,
    importsOf(source).filter(({ specifier }) => specifier.startsWith("."))
      .map(({ specifier }) => resolve(path, specifier)),
  ]));
  assertEquals(circles(imports), []);
});

test("[ME3] a circle is found", () => {
  const imports = new Map([["a", ["b", "c"]], ["b", ["c"]], ["c", ["d"]], ["d", ["b"]]]);
  assertEquals(circles(imports), ["b → c → d → b"]);
});

test("[ME4] relative imports name a file that exists, and not the own door", () => {
  assertEquals(problems(spellingProblems), []);
  const missing = [...library].flatMap(([path, source]) =>
    importsOf(source).filter(({ specifier }) =>
      specifier.startsWith(".") && !exists(resolve(path, specifier))
    ).map(({ specifier }) => `${path} imports "${specifier}"`)
  );
  assertEquals(missing, []);
});

test("[ME4] a misspelt import is found", () => {
  assertEquals(planted(spellingProblems, "src/core/a.ts", 'import { b } from "./b";'), 1);
  assertEquals(planted(spellingProblems, "src/core/a.ts", 'import { b } from "../../mod.ts";'), 1);
  assertEquals(planted(spellingProblems, "adapters/bun/a.ts", 'import { b } from "./mod.ts";'), 1);
  assertEquals(planted(spellingProblems, "src/core/a.ts", 'import { b } from "./b.ts";'), 0);
});
