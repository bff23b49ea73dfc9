// What is shown of the pages of the benchmarks: which figures of which tables are a chart.
import { numberIn } from "./pages.mjs";

/** A figure; `undefined` if the cell has none. */
function bar(label, cell) {
  const value = numberIn(cell);
  if (value === undefined || value <= 0) return [];
  return [{ label, value, text: cell, ours: /holdfast/i.test(label) }];
}

/** The figures of one column, row by row. */
function column(table, index, rows = /^/) {
  return table.rows.filter(([name]) => rows.test(name)).flatMap(([name, ...cells]) =>
    bar(name.replace(rows, ""), cells[index - 1])
  );
}

function sessions(ask) {
  return ({ tables }) =>
    tables.filter(({ head }) => head[0] === ask && head.includes("CPU µs")).map((table) => ({
      title: table.section,
      bars: column(table, table.head.indexOf("CPU µs")),
    }));
}

function calls({ tables }) {
  const load = /^64 callers, 1,000 objects: /;
  const ours = tables.filter(({ head }) => /^calls, /.test(head[0])).map((table) => ({
    title: table.section,
    bars: column(table, table.head.indexOf("CPU µs"), load),
  }));
  // The first of its two is of sequential calls.
  const peers = tables.filter(({ head }) => /^peers, /.test(head[0])).map((table) => ({
    title: "beside others, called from Node, CPU of all their processes",
    bars: column(table, table.head.lastIndexOf("CPU µs")),
  }));
  return [...ours, ...peers];
}

function documents(rows) {
  return ({ tables }) =>
    tables.slice(0, 1).flatMap(({ head, rows: all }) =>
      all.filter(([name]) => rows.test(name)).map(([name, ...cells]) => ({
        title: name,
        bars: head.slice(1).flatMap((label, i) => bar(label, cells[i])),
      }))
    );
}

/** A panel for each rate of each table. */
function commits({ title, tables }) {
  return tables.filter(({ head }) => /^commit to …, ms/.test(head[0])).flatMap((table) => {
    const runtime = table.head[0].replace("commit to …, ms, ", "");
    const where = table.section === title ? "" : ` (${table.section})`;
    const rates = new Set(table.rows.map(([name]) => /, (\d+\/s)$/.exec(name)?.[1] ?? ""));
    return [...rates].map((rate) => ({
      title: `${runtime}, ${rate}${where}`,
      bars: column(table, table.head.indexOf("p50"), new RegExp(`, ${rate}$`)),
    }));
  });
}

/** A panel for each runtime, which begins the names of its rows. */
function byRuntime(section, column) {
  return ({ tables }) =>
    tables.filter((table) => table.section === section).flatMap(({ head, rows }) => {
      const runtimes = new Set(rows.map(([name]) => name.slice(0, name.indexOf(":"))));
      return [...runtimes].map((runtime) => ({
        title: runtime,
        bars: rows.filter(([name]) => name.startsWith(`${runtime}: `)).flatMap(([name, ...cells]) =>
          bar(name.slice(runtime.length + 2), cells[head.indexOf(column) - 1])
        ),
      }));
    });
}

/**
 * The charts, by page. In panels with `together` bars of the same length are the same figure; `log` is for
 * figures that lie far apart; `columns` is how many panels a table has room for.
 */
export const pages = {
  stash: [
    {
      file: "stash_read",
      title: "A request that reads the session: CPU of the server, µs, less is better",
      panels: sessions("read"),
      together: true,
    },
    {
      file: "stash_write",
      title: "A request that changes the session: CPU of the server, µs, less is better",
      panels: sessions("write"),
      together: true,
    },
  ],
  objects: [{
    file: "objects",
    title: "A call, of 64 callers on 1,000 objects: CPU, µs, less is better",
    panels: calls,
    together: true,
    log: true,
  }],
  documents: [
    {
      file: "documents_throughput",
      title: "Changes that everybody has got, per second, more is better",
      panels: documents(/^changes\/s/),
      together: true,
    },
    {
      file: "documents_latency",
      title: "How long it takes, ms, less is better",
      panels: documents(
        /^change to everybody, p50|^join of .*p50|^all join at once|^longest delay/,
      ),
      together: false,
    },
  ],
  sync: [{
    file: "sync",
    title: "From the commit of a row: p50, ms, less is better",
    panels: commits,
    together: true,
    // Of two orders of magnitude and more.
    log: true,
    columns: 2,
  }],
  cluster: [
    {
      file: "cluster_call",
      title: "A call to an object of this node and of another: p50, µs, less is better",
      panels: byRuntime("A call, near and far", "p50 µs"),
      together: true,
    },
    {
      file: "cluster_kill",
      title: "Until all objects of a killed node answer: p50 of the kills, ms, less is better",
      panels: byRuntime("When a node is killed", "p50"),
      together: true,
    },
  ],
};
