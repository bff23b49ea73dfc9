import { assert, assertEquals, test } from "../harness/mod.ts";
import { allFiles, read, sources } from "./files.ts";
import { functionsOf } from "./functions.ts";
import { type Source, split } from "./source.ts";

const typescript = sources("mod.ts", "src", "adapters", "test", "examples", "bench", "scripts");
const parsed: readonly (readonly [string, Source])[] = typescript.map((path) =>
  [path, split(read(path))] as const
);

/** Where a pattern is found, as `path:line`. */
function found(pattern: RegExp, part: keyof Source, below = ""): readonly string[] {
  assert(parsed.length > 0, "found no source to check");
  return parsed.filter(([path]) => path.startsWith(below)).flatMap(([path, source]) => {
    const hit = pattern.exec(source[part]);
    return hit === null ? [] : [`${path}:${source.text.slice(0, hit.index).split("\n").length}`];
  });
}

test("[ME8] no file is longer than 400 lines without saying why", () => {
  const code = allFiles.filter((path) => /\.(?:ts|mjs)$/.test(path));
  const long = code.map((path) => [path, read(path)] as const).filter(([, text]) =>
    text.trimEnd().split("\n").length > 400 &&
    !text.includes("// Longer than 400 lines because ")
  );
  assertEquals(long.map(([path]) => path), []);
});

test("[ME8] no function is longer than 60 lines", () => {
  const long = parsed.flatMap(([path, { code }]) =>
    functionsOf(code).filter(({ lines }) => lines > 60)
      .map(({ line, lines }) => `${path}:${line} has ${lines} lines`)
  );
  assertEquals(long, []);
});

test("[ME8] functions are told from other blocks", () => {
  const code = [
    "function a(b: C): D {",
    "  if (b) {",
    "    f(() => {",
    "      g();",
    "    });",
    "  }",
    "}",
    "class E { get x(): number { return 1; } }",
    "const o = { p: 1 };",
  ].join("\n");
  assertEquals(functionsOf(code), [
    { line: 3, lines: 3 },
    { line: 1, lines: 7 },
    { line: 8, lines: 1 },
  ]);
});

test("[ME9] nothing escapes the type checker", () => {
  const any = /(?:[:<,|&=]\s*|\bas\s+)any\b(?!\s*[:(.])/;
  assert(any.test("a: any,") && any.test("b as any") && any.test("c<any>"));
  const outside = found(any, "code").filter((place) => !place.startsWith("test/"));
  assertEquals(outside, []);
  assertEquals(found(/@ts-(?:ignore|nocheck)/, "comments"), []);
});

test("[ME9] no test is singled out and nothing is left for later", () => {
  assertEquals(found(/\.only\s*\(/, "code", "test/"), []);
  assertEquals(found(/\b(?:TODO|FIXME|XXX)\b/, "comments"), []);
});

test("[ME9] the library exports by name", () => {
  assertEquals(found(/\bexport\s+default\b/, "code", "src/"), []);
  assertEquals(found(/\bexport\s+default\b/, "code", "adapters/"), []);
  assertEquals(found(/\bexport\s+\*/, "code", "mod.ts"), []);
});

test("[ME10] no file names a place of one machine", () => {
  // Put together here, so that this file does not name them.
  const places = ["work", "root", "tmp/rt", "tmp/brief"].map((name) => `/${name}/`);
  const problems = allFiles
    .filter((path) => /(?:\.(?:ts|mjs|md|json|yml)|run|LICENSE|\.gitignore)$/.test(path))
    .filter((path) => places.some((place) => read(path).includes(place)));
  assertEquals(problems, []);
});
