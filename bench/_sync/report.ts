import { figure, median, table } from "../_lib/stats.ts";
import { bars } from "./bars.ts";
import type { Decoded, Latency, Slow, Views, Written } from "./job.ts";

export type By = "holdfast" | "pg_recvlogical" | "notify" | "dom" | "zero";

/** What was measured on one runtime. */
export interface Results {
  readonly runtime: string;
  readonly latency: (Latency & Written & { readonly by: By; readonly rate: number })[];
  readonly decode: (Decoded & {
    readonly kind: "bulk" | "single";
    readonly by: "holdfast" | "pg_recvlogical";
  })[];
  readonly decoder: (Decoded & {
    readonly kind: "bulk" | "single";
    readonly watched: boolean;
  })[];
  readonly views: (Views & Written)[];
  readonly slow: (Slow & Written & { readonly watches: number })[];
}

/** Under what circumstances. */
export interface Circumstances {
  readonly machine: string;
  readonly disk: string;
  readonly postgres: string;
  /** The version of Zero, if that was to be measured. */
  readonly zero: string | undefined;
  readonly busy: number;
  readonly rounds: number;
  readonly seconds: number;
  readonly rows: number;
  readonly single: number;
}

const names: Readonly<Record<By, string>> = {
  holdfast: "**Holdfast: to the callback of a watch**",
  pg_recvlogical: "pg_recvlogical: to its pipe (floor)",
  notify: "LISTEN/NOTIFY: to the callback (floor)",
  dom: "**Holdfast: to the DOM of a live view**",
  zero: "Zero: to the listener of its client",
};

export function middle<T>(all: readonly T[], what: (one: T) => number): number {
  return median(all.map(what));
}

/** The median of what was measured of a subject at a rate, and `NaN` if nothing was. */
export function latencyOf(
  { latency }: Results,
  by: By,
  rate: number,
  what: (one: Latency & Written) => number,
): number {
  return middle(latency.filter((one) => one.by === by && one.rate === rate), what);
}

function latencyTable(one: Results, version: string | undefined): string {
  const rows = [100, 1000].flatMap((rate) =>
    (Object.keys(names) as By[]).flatMap((by) => {
      const of = (what: (one: Latency & Written) => number) => latencyOf(one, by, rate, what);
      const p50 = of((some) => some.p50);
      if (Number.isNaN(p50)) return [];
      const compared = by === "holdfast" || by === "zero";
      const floor = latencyOf(one, "pg_recvlogical", rate, (some) => some.p50);
      return [[
        `${by === "zero" ? names.zero.replace("Zero", `Zero ${version}`) : names[by]}, ${rate}/s`,
        figure(p50 / 1000),
        figure(of((some) => some.p99) / 1000),
        compared ? figure(p50 / floor) : "",
        figure(of((some) => some.perSecond)),
        figure(of((some) => 100 * some.heard / some.sent)),
      ]];
    })
  );
  const numbers = ["p50", "p99", "of the floor", "written/s", "heard of 100"];
  return table([`commit to …, ms, ${one.runtime}`, ...numbers], rows);
}

function decodeTable(all: readonly Results[]): string {
  const rows = (["bulk", "single"] as const).flatMap((kind) =>
    (["holdfast", "pg_recvlogical"] as const).map((by) => [
      `${by === "holdfast" ? "**Holdfast**" : "pg_recvlogical, thrown away (floor)"}: ` +
      (kind === "bulk" ? "rows/s of one transaction" : "transactions/s of one row"),
      ...all.map(({ decode }) => {
        const some = decode.filter((one) => one.kind === kind && one.by === by);
        return figure(middle(some, ({ rows, seconds }) => rows / seconds));
      }),
    ])
  );
  // What our own process takes, however slowly the server sends.
  const perCpu = (kind: "bulk" | "single") =>
    all.map(({ decode }) => {
      const some = decode.filter((one) => one.kind === kind && one.by === "holdfast");
      return figure(middle(some, ({ rows, cpuSeconds }) => rows / cpuSeconds));
    });
  rows.push(
    ["**Holdfast**: rows of one transaction per second of CPU", ...perCpu("bulk")],
    ["**Holdfast**: transactions of one row per second of CPU", ...perCpu("single")],
  );
  return table(["read from a backlog", ...all.map(({ runtime }) => runtime)], rows);
}

function decoderTable(all: readonly Results[]): string {
  const kinds = { bulk: "rows/s of one transaction", single: "transactions/s of one row" } as const;
  const rows = (["bulk", "single"] as const).flatMap((kind) =>
    [false, true].map((watched) => [
      `${kinds[kind]}, ${watched ? "each read for a watch" : "watched by nobody"}`,
      ...all.map(({ decoder }) => {
        const some = decoder.filter((one) => one.kind === kind && one.watched === watched);
        return figure(middle(some, ({ rows, seconds }) => rows / seconds));
      }),
    ])
  );
  return table(["decoded from memory", ...all.map(({ runtime }) => runtime)], rows);
}

function otherTable(all: readonly Results[]): string {
  const views = (what: (one: Views & Written) => number) =>
    all.map((one) => figure(middle(one.views, what)));
  const slow = (watches: number, what: (one: Slow & Written) => number) =>
    all.map((one) => figure(middle(one.slow.filter((some) => some.watches === watches), what)));
  return table(["", ...all.map(({ runtime }) => runtime)], [
    ["1,000 views: changes written/s", ...views((one) => one.perSecond * 100)],
    ["1,000 views: to the frame, ms, p50", ...views((one) => one.p50 / 1000)],
    ["1,000 views: to the frame, ms, p99", ...views((one) => one.p99 / 1000)],
    ["1,000 views: frames for 100 changes", ...views((one) => one.heard / one.sent)],
    ["1,000 views: CPU, % of a core", ...views((one) => one.cpu)],
    ["1,000 views: resident, MB", ...views((one) => one.megabytes)],
    ["a watch that never loads: rows written/s", ...slow(1, (one) => one.perSecond * 500)],
    ["the same: resident, MB more", ...slow(1, (one) => one.megabytes)],
    ["the same, on the heap after collection", ...slow(1, (one) => one.heapMegabytes)],
    ["20 of them: rows written/s", ...slow(20, (one) => one.perSecond * 500)],
    ["the same: resident, MB more", ...slow(20, (one) => one.megabytes)],
    ["the same, on the heap after collection", ...slow(20, (one) => one.heapMegabytes)],
  ]);
}

function hasZero(all: readonly Results[]): boolean {
  return all.some(({ latency }) => latency.some(({ by }) => by === "zero"));
}

/** What a row of Zero says and does not say. */
function aboutZero(all: readonly Results[], at: Circumstances): string {
  if (!hasZero(all)) {
    return "Zero (rocicorp) was not measured in this run; `npm run bench -- sync` does so where " +
      "there is Node, and it can be installed and starts.";
  }
  return [
    `Zero (rocicorp) ${at.zero}: its \`zero-cache\`, as it comes but for not waiting for a`,
    "load balancer, beside a Postgres of its own with the settings of ours and more",
    "connections, and its client in a process of its own, both on Node. Before anything",
    `counts, the cache has had ${at.seconds} seconds of 1,000 updates/s; ours begins cold. It`,
    "does more than a watch: the cache keeps a copy of the tables in SQLite, and in Postgres",
    "a log of all changes and a record of what each client has, which is written before the",
    "client hears of a change, so that a client that comes back gets the difference. The",
    "client keeps the rows in a store of its own (in memory here), answers queries from it,",
    "and could show a write before the server has it. Nothing of it polls, it follows the",
    "stream of Postgres as we do; but the cache passes over states that it is too busy to",
    "serve, and the client puts together what has come until a timer of 0 ms fires: of",
    "several changes a callback hears once. It is waited for until it has the last change,",
    "however late. As with our watch, a latency is that of the newest row a callback has, and",
    'a change that another has overtaken is not counted; "heard of 100" is how many callbacks',
    "there were for 100 updates.",
  ].join(" ");
}

/** Everything, as a page. */
export function report(all: readonly Results[], at: Circumstances): string {
  const peer = hasZero(all) ? ` Peer on Node: Zero ${at.zero}.` : "";
  const promised = bars(all);
  return `# Sync beside what Postgres itself can do

${at.machine}; Postgres ${at.postgres}.${peer} Disk: ${at.disk}; load of the machine before: ${
    figure(at.busy)
  }. \`npm run bench -- sync --rounds=${at.rounds} --seconds=${at.seconds}\`; medians of the rounds, the subjects taking turns. Writer, server and subject share the cores. A latency begins when the server writes the row (\`clock_timestamp()\` in the statement), so that it contains the flush of the commit, for all the same. Updates of one of twenty rows per transaction, over eight connections; \`pg_recvlogical\` is Postgres' own program, its pipe read by the same runtime. The backlog: ${
    at.rows.toLocaleString("en")
  } rows in one transaction, and ${
    at.single.toLocaleString("en")
  } transactions of one row; ours ends with transactions whose rows are taken apart.

${all.map((one) => latencyTable(one, at.zero)).join("\n\n")}

${aboutZero(all, at)}

${decodeTable(all)}

The decoder alone, on one thread: messages as a socket hands them over, in memory, until the transaction is taken apart, whom it concerns is known, and of rows that somebody watches the row is read. Rows of some 100 bytes; 20,000 of them in one transaction, and one in each.

${decoderTable(all)}

1,000 live views in one process, each with a socket (that ends in the process) and one row that changes ten times a second, written as 100 transactions a second of 100 rows. A slow consumer: a watch whose query does not answer, while 100 transactions a second add 500 rows of 1 KB each under it.

${otherTable(all)}
${promised.length === 0 ? "" : `\n## What was promised\n\n${promised.join("\n")}\n`}`;
}
