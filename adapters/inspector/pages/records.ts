import type { JsonValue } from "../../../src/core/json.ts";
import type { ParkedAlarm, ScheduledAlarm } from "../../../src/object/model.ts";
import type { ObjectView } from "../../../src/object/inspection.ts";
import type { DocumentView } from "../../../src/document/inspection.ts";
import type { LogEntry } from "../../../src/document/model.ts";
import type { Desk } from "../desk.ts";
import { html, type Markup } from "../markup.ts";
import { masked, type Shown } from "../mask.ts";
import { encodeId } from "../../../src/core/key.ts";
import { jsonTree } from "../tree.ts";
import type { MakeSheet } from "../view.ts";

const memories = {
  awake: "in memory",
  asleep: "hibernates",
  absent: "not in memory here",
} as const;

/** One object: what is stored, and how it is doing here. */
export const object: MakeSheet = async (desk, place) => {
  if (place.page !== "object") return undefined;
  const view = await desk.inspection.objects.object(place.class, place.id);
  const of: Shown = { kind: "object", class: place.class, id: place.id };
  const { stored } = view;
  return {
    title: `${place.class} ${masked(place.id)}`,
    body: html`
      ${problemOf(view.problem, view.deletedAt)}
      <dl class="tiles">
        ${fact("Here", memories[view.memory], view.cordoned ? "cordoned" : undefined)}
        ${fact("Mailbox", String(view.waiting), `${view.held} wait for storage`)}
        ${fact("vsn", stored === undefined ? "–" : String(stored.vsn))}
        ${fact("rev", String(view.rev), "writes of the record")}
      </dl>
      ${stored === undefined ? nothing(view) : html`
        <h2>State</h2>
        <div class="panel">${jsonTree("state", stored.state, of, desk.parts.isHidden)}</div>
        <h2>Alarms</h2>
        <div class="panel">${alarms(stored.scheduled, stored.parked, desk.now())}</div>
      `}
      <h2>Memory</h2>
      ${view.memory === "absent"
        ? html`<p>Nothing to stop: it is not in the memory of this process.</p>`
        : stopForm(desk, of, "Its onShutdown runs; the next call or alarm brings it back.")}
    `,
  };
};

/** One document: its state, its last operations, and who is here. */
export const document: MakeSheet = async (desk, place) => {
  if (place.page !== "document") return undefined;
  const view = await desk.inspection.documents.document(place.class, place.id);
  const of: Shown = { kind: "document", class: place.class, id: place.id };
  const { open } = view;
  return {
    title: `${place.class} ${masked(place.id)}`,
    body: html`
      ${problemOf(view.problem)}
      <dl class="tiles">
        ${fact("Here", open === undefined ? memories.absent : memories.awake)}
        ${fact("Subscribers", String(open?.subscribers ?? 0), `${open?.present ?? 0} present`)}
        ${fact("Operations", String(view.seq), `${view.snapshotSeq} in the snapshot`)}
        ${fact("vsn", String(view.vsn))}
        ${fact("Not durable yet", `${open?.unsavedBytes ?? 0} bytes`)}
      </dl>
      ${view.state === undefined ? html`<p>Nothing is stored under this id.</p>` : html`
        <h2>State</h2>
        <div class="panel">${jsonTree(
          "state",
          view.state as JsonValue,
          of,
          desk.parts.isHidden,
        )}</div>
        ${history(desk, of, view)}
      `}
      <h2>Memory</h2>
      ${open === undefined
        ? html`<p>Nothing to stop: it is not in the memory of this process.</p>`
        : stopForm(desk, of, "Subscribers are told, and connect again.")}
    `,
  };
};

function fact(name: string, value: string, more?: string): Markup {
  return html`
    <div class="tile">
      <dt>${name}</dt>
      <dd>${value}${more === undefined ? undefined : html`<small>${more}</small>`}</dd>
    </div>
  `;
}

function nothing({ deletedAt, problem }: ObjectView): Markup | undefined {
  if (deletedAt !== undefined || problem !== undefined) return undefined;
  return html`<p>Nothing is stored under this id.</p>`;
}

function problemOf(problem: ObjectView["problem"], deletedAt?: number): Markup | undefined {
  if (deletedAt !== undefined) return html`<p class="notice">Deleted ${time(deletedAt)}.</p>`;
  if (problem === undefined) return undefined;
  return html`<p class="notice bad">${masked(problem.message)} (${problem.code}).</p>`;
}

function time(at: number): Markup | string {
  const date = new Date(at);
  // What is stored is a number, not necessarily of a time.
  if (Number.isNaN(date.getTime())) return "at an unknown time";
  const iso = date.toISOString();
  return html`<time datetime="${iso}">${iso.slice(0, 19).replace("T", " ")} UTC</time>`;
}

function alarms(
  scheduled: readonly ScheduledAlarm[],
  parked: readonly ParkedAlarm[],
  now: number,
): Markup {
  if (scheduled.length + parked.length === 0) return html`<p>None is set.</p>`;
  const rows = [
    ...scheduled.map(({ name, at, attempt }) =>
      html`
        <tr>
          <td>${masked(name)}</td>
          <td>${at <= now ? "due" : "set"}</td>
          <td>${time(at)}</td>
          <td class="num">${attempt}</td>
          <td></td>
        </tr>
      `
    ),
    ...parked.map(({ name, parkedAt, attempts, error }) =>
      html`
        <tr>
          <td>${masked(name)}</td>
          <td>parked</td>
          <td>${time(parkedAt)}</td>
          <td class="num">${attempts}</td>
          <td>${masked(error).slice(0, 300)}</td>
        </tr>
      `
    ),
  ];
  return html`
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">Alarm</th>
            <th scope="col">Status</th>
            <th scope="col">When</th>
            <th scope="col" class="num">Try</th>
            <th scope="col">Failed with</th>
          </tr>
        </thead>
        <tbody>${rows}</tbody>
      </table>
    </div>
  `;
}

function history(desk: Desk, of: Shown, { history: entries }: DocumentView): Markup {
  if (entries.length === 0) {
    return html`
      <h2>History</h2>
      <p>The log is empty.</p>
    `;
  }
  const items = entries.toReversed().map((entry) => {
    const { seq, at, actor } = entry;
    const who = actor === null ? "nobody in particular" : masked(actor);
    const what = operation(desk, of, entry);
    return html`
      <li data-live-key="op-${seq}">
        <details><summary>${seq}, ${time(at)}, ${who}<small>${deedOf(
          entry,
        )}</small></summary>${what}</details>
      </li>
    `;
  });
  return html`
    <h2>History</h2>
    <p class="soft">The last ${entries.length} operations, the latest first.</p>
    <ul class="panel tree history">${items}</ul>
  `;
}

function deedOf({ restore, undoes, redoes }: LogEntry): string {
  if (restore !== undefined) return " restores";
  if (redoes !== undefined) return ` brings back ${redoes}`;
  return undoes === undefined ? "" : ` undoes ${undoes}`;
}

function operation(desk: Desk, of: Shown, { seq, op, restore }: LogEntry): Markup {
  if (restore !== undefined) return html`<p>It puts a former state in the place of this one.</p>`;
  return jsonTree(`op-${seq}`, op as JsonValue, { ...of, kind: "operation" }, desk.parts.isHidden);
}

function stopForm(desk: Desk, { kind, class: name, id }: Shown, about: string): Markup {
  return html`
    <form method="post" action="${desk.parts.path}/stop">
      <input type="hidden" name="kind" value="${kind}">
      <input type="hidden" name="class" value="${name}">
      <input type="hidden" name="id" value="${masked(encodeId(id))}">
      <p>${about} What is stored stays.</p>
      <button class="danger">Stop it</button>
    </form>
  `;
}
