import { readFileSync } from "node:fs";
import { mappings } from "../../adapters/otel/events.ts";
import { assert, assertEquals, test } from "../harness/mod.ts";

const read = (path: string): string =>
  readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");

test("[ME21] the page of errors has each code there is and no other", () => {
  const source = read("src/core/errors.ts");
  const union = source.slice(source.indexOf("export type ErrorCode"), source.indexOf(";"));
  const codes = union.match(/ERR_[A-Z_]+/g) ?? [];
  assert(codes.length > 20, "the union was not found");
  const rows = read("docs/errors.md").match(/^\| `ERR_[A-Z_]+`/gm) ?? [];
  assertEquals(rows.map((row) => row.slice(3, -1)), [...codes].sort());
});

test("[ME21] the page of telemetry has each span and metric of the table", () => {
  const page = read("docs/telemetry.md");
  const names = Object.values(mappings).flatMap(({ duration, active, span, measures = {} }) => [
    ...(span === undefined || /^(?:call|alarm|storage)\b/.test(span) ? [] : [span]),
    ...[duration, active].filter((name) => name !== undefined),
    ...Object.values(measures).map(({ metric }) => metric),
  ]);
  assert(names.length > 20, "the table was not read");
  assertEquals([...new Set(names)].filter((name) => !page.includes(`\`${name}\``)), []);
});
