import { decodeId } from "../../../src/core/key.ts";
import type { ScheduledAlarm } from "../../../src/object/model.ts";
import type { History } from "./history.ts";
import { snapshotOf } from "./model.ts";
import type { SimulationEnd } from "./options.ts";

/** The alarms of a record, read without the code under test, in the order of time. */
function alarmsOf(record: string): readonly ScheduledAlarm[] {
  const { state } = JSON.parse(record) as {
    readonly state?: { readonly alarms?: Readonly<Record<string, Omit<ScheduledAlarm, "name">>> };
  };
  return Object.entries(state?.alarms ?? {})
    .map(([name, { at, scheduledAt, attempt }]) => ({ name, at, scheduledAt, attempt }))
    .sort((a, b) => a.at - b.at);
}

/** The alarms that are set for a time before another, of all objects. */
export function overdue(
  history: History,
  before: number,
): readonly (ScheduledAlarm & { readonly object: string })[] {
  const found: (ScheduledAlarm & { readonly object: string })[] = [];
  for (const object of history.changes.keys()) {
    const record = history.durable(object);
    // Most records have none, and parsing each would cost more than the rest of it.
    if (record === undefined || !record.includes('"alarms"')) continue;
    for (const alarm of alarmsOf(record)) if (alarm.at < before) found.push({ ...alarm, object });
  }
  return found;
}

/** What is stored of a class. */
export function storedOf(history: History, name: string): ReturnType<SimulationEnd["stored"]> {
  const found = [];
  for (const object of [...history.changes.keys()].sort()) {
    const [cls, segment = ""] = object.split("/");
    const record = history.durable(object);
    if (cls !== name || record === undefined) continue;
    const snapshot = snapshotOf(record);
    if (snapshot.kind !== "live") continue;
    const { vsn, user: state } = snapshot;
    found.push({ name, id: decodeId(segment) ?? "", vsn, state, alarms: alarmsOf(record) });
  }
  return found;
}
