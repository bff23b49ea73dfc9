// docs/capacity.md, from what was worked out.
import { table } from "../lib/table.mjs";
import { behaviour, partition, prices } from "./model.mjs";

/** The sizes that are worked out, and how they are written. */
export const sizes = [[1e4, "10⁴"], [1e6, "10⁶"], [1e8, "10⁸"]];

/** Three digits that count. */
function number(value) {
  const digits = value >= 100 ? 0 : 1;
  const rounded = value === 0 ? 0 : Number(value.toPrecision(3));
  return rounded.toLocaleString("en-US", {
    maximumFractionDigits: rounded < 1 ? 4 : rounded < 10 ? 2 : digits,
  });
}

const dollars = (value) => `$${number(value)}`;

/** A figure that is given, not worked out: whole. */
const whole = (value) => value.toLocaleString("en-US");

function rowsOf(columns, rows) {
  const head = ["sessions in the store", ...sizes.map(([, name]) => name)];
  const cells = rows.map(([title, pick]) => [title, ...columns.map(pick)]);
  return table(head, cells, [head[0]]);
}

function loadTable(columns) {
  return rowsOf(columns, [
    ["in use in the busiest minute", ({ load }) => number(load.active)],
    ["requests/s", ({ load }) => number(load.requests)],
    ["calls of objects/s", ({ load }) => number(load.calls)],
    ["reads of the store/s", ({ load }) => number(load.storageReads)],
    ["writes to the store/s", ({ load }) => number(load.storageWrites)],
    ["MB written/s", ({ load }) => number(load.writtenBytes / 1e6)],
    ["GB stored", ({ load }) => number(load.storedGB)],
  ]);
}

function bucketTable(columns) {
  return rowsOf(columns, [
    ["partitions of the prefix", ({ bucket }) => number(bucket.partitions)],
    ["million reads a month", ({ bucket }) => number(bucket.reads / 1e6)],
    ["million writes and lists a month", ({ bucket }) => number(bucket.writes / 1e6)],
    ["AWS, a month: reads", ({ bucket }) => dollars(bucket.aws.reads)],
    ["AWS: writes and lists", ({ bucket }) => dollars(bucket.aws.writes)],
    ["AWS: what is stored", ({ bucket }) => dollars(bucket.aws.stored)],
    ["**AWS, a month**", ({ bucket }) => dollars(bucket.aws.total)],
    ["**R2, a month**", ({ bucket }) => dollars(bucket.r2.total)],
  ]);
}

function clusterTable(columns) {
  return rowsOf(columns, [
    ["cores that are busy", ({ cluster }) => number(cluster.busyCores)],
    ["**nodes**, one of them to spare", ({ cluster }) => number(cluster.nodes)],
    ["messages to NATS/s", ({ cluster }) => number(cluster.published)],
    ["messages from NATS/s", ({ cluster }) => number(cluster.delivered)],
    ["of these, heartbeats", ({ cluster }) => number(cluster.beatsDelivered)],
  ]);
}

function sweepTable(columns) {
  return rowsOf(columns, [
    ["sessions that end, a day", ({ load }) => number(load.ends * 86_400)],
    ["days until one process has seen all", ({ sweep }) => number(sweep.passDays)],
    ["reads a day for it", ({ sweep }) => number(sweep.getsPerDay)],
  ]);
}

function choices([small, middle, large], { sqliteWrites }) {
  const share = (100 * middle.load.storageWrites / sqliteWrites).toFixed(1);
  const [cores, writes] = [middle.cluster.busyCores, large.load.storageWrites].map(number);
  const [a, b] = [small, middle].map(({ bucket }) => dollars(bucket.aws.total));
  const head = ["what you have", "storage", "cluster"];
  const shared = "NATS, if objects or documents are shared";
  return table(head, [
    [
      "one machine",
      `SQLite: 10⁶ take ${share} % of the writes that were measured, and ${cores} cores`,
      "none",
    ],
    ["several machines, a database", "Postgres", shared],
    ["several machines, no server", `a bucket: ${a} a month for 10⁴, ${b} for 10⁶`, "none"],
    ["several machines, NATS at hand", "NATS, three replicas", "NATS, the same servers"],
    ["Cloudflare Workers", "Durable Objects, or R2", "none: see [Workers](./workers.md)"],
    [
      "10⁸ sessions",
      `cells of 10⁶: ${writes} writes/s are none for one store`,
      "one for each cell",
    ],
  ], head);
}

const introduction = (columns, measured) =>
  `<!-- Written by \`npm run capacity\`; do not edit. -->

# Which storage and which cluster, and what they cost

Worked out on paper: nobody has run 10⁸ sessions. \`npm run capacity -- activeShare=0.05\` prints this page for
assumptions of yours. What was measured, and on what machine, is in [bench/results](../bench/results).

## What to take

${choices(columns, measured)}

Any number of processes may share a store without a cluster: what it adds is that objects stay in one place, so that
calls meet no conflicts, and that documents hear of each other at once ([several nodes](./cluster.md)). Sessions do not
need it.`;

function assumed(given) {
  const [active, average, busy] = [given.activeShare, given.averageShare, given.busyShare]
    .map((share) => number(100 * share));
  const { readsPerMinute: reads, writesPerMinute: writes, callsPerMinute: calls } = given;
  const { recordBytes } = behaviour;
  return `## What is assumed

- In the busiest minute ${active} % of the stored sessions are in use; the average over a month is ${average} % of that load.
- Requests a minute of a session in use: ${reads} that look at it, ${writes} that change it. Calls a minute that change
  the one object each session has: ${calls}.
- A session and its object have ${
    whole(given.stateBytes)
  } bytes of JSON each, and ${recordBytes} beside it. A session is over
  after ${given.lifeDays} days, idle time included.
- A request takes ${given.applicationMs} ms of CPU in the application. A node has ${given.cores} cores, busy to ${busy} % at most.
- Left out: sockets and pages of live views, documents, alarms, and the reads that wake objects.`;
}

function asked(columns, { sqliteWrites }) {
  const { put, get } = behaviour.perLife;
  return `## What it asks of any store

A request that looks at its session is one read of the store, however recently it was read: only so does a node see
what another has stored. Memory spares the decoding. A request that changes it is a read and a write (with
\`update()\` two reads), a call that changes an object that is awake a write. Once in its life a session takes ${put} writes
and ${get} reads more: its cookie came back, it ends, it is removed. In the busiest minute:

${loadTable(columns)}

SQLite made ${
    number(sqliteWrites)
  } durable writes of sessions a second ([figures](../bench/results/stash.md)). Postgres and NATS
as stores were not measured for this.`;
}

function bucket(columns) {
  const usd = ({ classA, classB, gbMonth }) => [
    ...[classA, classB].map((perThousand) => `$${(perThousand * 1000).toFixed(2)}`),
    `$${gbMonth}`,
  ];
  const [awsA, awsB, awsGB] = usd(prices.aws);
  const [r2A, r2B, r2GB] = usd(prices.r2);
  const { writes, reads } = partition;
  return `## What a bucket costs

AWS, standard class in us-east-1: ${awsA} for a million writes and lists, ${awsB} for a million reads, ${awsGB} for a GB
and month (aws.amazon.com/s3/pricing). R2: ${r2A}, ${r2B} and ${r2GB} (developers.cloudflare.com/r2/pricing). Looked up in
November 2026, R2 in a copy of its page, AWS in what others cite of it: look again before you rely on them. Left out:
what is free, lower prices for larger amounts, other regions, traffic out of the region. Removing is free.

${bucketTable(columns)}

S3 answers at least ${whole(writes)} writes and ${
    whole(reads)
  } reads a second for each partition of a prefix
(docs.aws.amazon.com, "Optimizing Amazon S3 performance"), and makes more partitions by itself, in half an hour to an
hour as a comment at AWS re:Post has it. Keys of sessions end in a hash, so they spread evenly. It is the writes that
cost: an application that stashes at every key that is typed pays for as many.`;
}

function nodes(columns, measured, given) {
  const [read, write, call] = [measured.readUs, measured.writeUs, measured.callUs].map(number);
  const { beatEveryMs, perForwarded, perEnd } = behaviour;
  const largest = number(columns.at(-1).cluster.nodes);
  return `## Nodes and messages

CPU of Holdfast on Node, as measured: a request that looks ${read} µs, one that writes ${write} µs, both with SQLite
([sessions](../bench/results/stash.md)); a call by lot among three nodes ${call} µs, storing in NATS included
([several nodes](../bench/results/cluster.md)). That of the clients of S3 and Postgres was not measured: it is part of the
application's ${given.applicationMs} ms here. Each node tells all others ${
    1000 / beatEveryMs
  } times a second that it is there; a call of an object that is
elsewhere is ${perForwarded} messages, the end of a session ${perEnd} to all.

${clusterTable(columns)}

What is told to all grows with the square of the nodes, and ${largest} in one cluster are more than was tried (three, in
[several nodes](./cluster.md)). Make cells instead: each with a store, a \`name\` for \`natsCluster\` and nodes of its own,
and send each tenant or region to one. A hundred cells of 10⁶ cost a hundred times the column of 10⁶.`;
}

function sweeping(columns) {
  const { sweepRecords, sweepEveryMs } = behaviour;
  const readSeconds = 0.03;
  const [hours, days] = [1e6 * readSeconds / 3600, 1e8 * readSeconds / 86_400].map(number);
  return `## Sweeping

A process looks at ${whole(sweepRecords)} records every ${
    sweepEveryMs / 60_000
  } minutes, each a read, and begins with the first one when it is started.
One process in the tables above sweeps; give the others \`sweepEveryMs: Infinity\`.

${sweepTable(columns)}

Where less is looked at than ends, what has ended takes up room and nothing else: each use judges a session by its own
times. \`npx holdfast sweep\` from a schedule looks at all, one after the other: at 30 ms a read, as of a bucket, 10⁶ take
${hours} hours, 10⁸ ${days} days. A bucket can do it by a rule: what lies below \`<namespace>/session/\` and was not written for
longer than \`lifetime.absoluteMs\` and a day is over. That was not tried here.`;
}

/** Writes the page. */
export function pageOf(columns, measured, given) {
  return [
    introduction(columns, measured),
    assumed(given),
    asked(columns, measured),
    bucket(columns),
    nodes(columns, measured, given),
    sweeping(columns),
  ].join("\n\n") + "\n";
}
