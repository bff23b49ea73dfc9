import { chart, numeral } from "../chart.ts";
import { type Counts, type Desk, type InspectedSync, maxDue } from "../desk.ts";
import { html, type Markup } from "../markup.ts";
import { keptSeconds } from "../recorder.ts";
import type { MakeSheet } from "../view.ts";

/** Counts of this moment, and what has happened in the last minutes. */
export const overview: MakeSheet = async (desk, place) => {
  if (place.page !== "overview") return undefined;
  desk.recorder.look();
  const counts = await desk.counts();
  return {
    title: "Overview",
    body: html`
      <h2 class="quiet">Now</h2>
      <dl class="tiles">${tiles(desk, counts)}</dl>
      <h2>The last ${keptSeconds / 60} minutes</h2>
      <p class="soft">Of this process, from when somebody first looked at this page.</p>
      <div class="charts">${charts(desk)}</div>
    `,
  };
};

function tiles(desk: Desk, counts: Counts): readonly Markup[] {
  const { sync, holdfast } = desk.parts;
  const due = counts.due === maxDue ? `${maxDue} or more` : numeral(counts.due);
  const nodes = holdfast.nodes;
  return [
    tile("Sessions in memory", numeral(counts.sessions)),
    tile("Objects awake", numeral(counts.awake), `${numeral(counts.asleep)} hibernate`),
    tile("Documents open", numeral(counts.documents), `${numeral(counts.subscribers)} subscribers`),
    tile("Sockets", numeral(counts.sockets)),
    tile("Alarms due", due),
    ...(nodes === undefined
      ? []
      : [tile("Nodes", numeral(nodes.members.length), nodes.linked ? "linked" : "not linked")]),
    ...(sync === undefined ? [] : [replication(sync)]),
  ];
}

function replication({ status: { state }, lagMs }: InspectedSync): Markup {
  const behind = lagMs === undefined ? undefined : `${numeral(lagMs)} ms behind`;
  return tile("Replication", state, behind);
}

function tile(name: string, value: string, more?: string): Markup {
  return html`
    <div class="tile">
      <dt>${name}</dt>
      <dd>${value}${more === undefined ? undefined : html`<small>${more}</small>`}</dd>
    </div>
  `;
}

function charts({ recorder }: Desk): readonly Markup[] {
  const rate = (title: string, name: Parameters<typeof recorder.rate>[0]) =>
    chart({ title, unit: "/s", lines: [{ name: "", points: recorder.rate(name) }] });
  const { p50, p99 } = recorder.latency();
  return [
    rate("Writes to storage", "writes"),
    chart({
      title: "Storage latency",
      unit: "ms",
      lines: [{ name: "p50", points: p50 }, { name: "p99", points: p99 }],
    }),
    rate("Calls of objects", "calls"),
    rate("Conflicts", "conflicts"),
    rate("Events of live views", "events"),
    rate("Failures", "failures"),
    rate("Reads of storage", "reads"),
    rate("Alarms fired", "alarms"),
    rate("Sessions begun", "sessions"),
  ];
}
