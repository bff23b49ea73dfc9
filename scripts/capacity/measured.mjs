// The figures of bench/results that the table stands on.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { numberIn, readPage } from "../bench/pages.mjs";
import { root } from "../lib/runtimes.mjs";

/** One figure, found by its table and row; a bench that has lost it is an error. */
function figure(page, { table, row, column }) {
  const { tables } = readPage(readFileSync(join(root, "bench", "results", page), "utf8"));
  for (const { section, head, rows } of tables) {
    if (!table(section, head)) continue;
    const value = numberIn(rows.find(row)?.[head.indexOf(column)]?.trim());
    if (value !== undefined) return value;
  }
  throw new Error(`Cannot find a figure of ${page}: no "${column}" in the row that is looked for`);
}

const sessions = (operation, column) =>
  figure("stash.md", {
    table: (section, [first]) => section.startsWith("node ") && first === operation,
    row: ([name]) => name === "holdfast, SQLite",
    column,
  });

/** What Node was measured at: CPU in µs, and durable writes a second with SQLite. */
export function readMeasured() {
  return {
    readUs: sessions("read", "CPU µs"),
    writeUs: sessions("write", "CPU µs"),
    sqliteWrites: sessions("write", "req/s"),
    callUs: figure("cluster.md", {
      table: (section) => section === "Throughput",
      row: ([name, nodes]) => /^node .*: stored$/.test(name) && nodes === "3",
      column: "CPU µs",
    }),
  };
}
