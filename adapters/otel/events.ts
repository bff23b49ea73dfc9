import type { TelemetryEvent } from "../../src/ports/telemetry.ts";

/** A number that an event carries, as a metric of its own. */
export interface Measure {
  /** Name of the metric. */
  readonly metric: string;
  /** What it is, in words. */
  readonly about: string;
  /** `"ms"` becomes a histogram in seconds, anything else a counter with this unit. */
  readonly unit: string;
}

/** What an event becomes, beyond what its fields say by themselves. */
export interface Mapping {
  /** What is counted or timed, in words. */
  readonly about: string;
  /** Name of the histogram of its duration. @default the name of the event and ".duration" */
  readonly duration?: string;
  /** Name of the counter of those under way, of events with phases. @default none */
  readonly active?: string;
  /** Told as the attribute `holdfast.operation`, where several events share a metric. */
  readonly operation?: string;
  /** What a span of it begins its name with. @default the name of the event */
  readonly span?: string;
  /** Fields that are metrics of their own. */
  readonly measures?: Readonly<Record<string, Measure>>;
}

const storage = (operation: string): Mapping => ({
  about: "Duration of the tries of storage calls",
  duration: "holdfast.storage.duration",
  active: "holdfast.storage.active_calls",
  operation,
  span: `storage ${operation}`,
});

const sum = (metric: string, unit: string, about: string): Measure => ({ metric, unit, about });

/**
 * What each event becomes. An event that has phases or a duration becomes a span and a histogram, any
 * other a counter of its own name and, where a span is active, an event of that; which of its fields are
 * labels is in `attributes.ts`. So a new event needs one line here, and the compiler asks for it.
 */
export const mappings: Readonly<Record<TelemetryEvent["name"], Mapping>> = {
  "holdfast.storage.get": storage("get"),
  "holdfast.storage.put": storage("put"),
  "holdfast.storage.delete": storage("delete"),
  "holdfast.storage.list": storage("list"),

  "holdfast.object.call": {
    about: "Duration of calls of objects, waiting and storing included",
    active: "holdfast.object.active_calls",
    span: "call",
  },
  "holdfast.object.activate": { about: "Objects loaded into memory" },
  "holdfast.object.evict": { about: "Objects dropped from memory" },
  "holdfast.object.conflict": {
    about: "Writes that another writer was before",
    measures: {
      calls: sum("holdfast.object.replays", "{call}", "Calls run again after a lost race"),
    },
  },
  "holdfast.object.discard": {
    about: "Objects dropped because what became of a write is unknown",
    measures: {
      calls: sum("holdfast.object.failed_calls", "{call}", "Calls failed by a discarded object"),
    },
  },
  "holdfast.object.effect_failed": { about: "Effects after a commit that threw" },
  "holdfast.object.call_failed": { about: "Calls that failed after the handler that made them" },
  "holdfast.object.hibernate": { about: "Objects whose state has left memory" },
  "holdfast.object.shutdown": { about: "Objects shut down" },
  "holdfast.object.delete": { about: "Objects deleted" },
  "holdfast.object.hook_failed": { about: "Hooks at the end of an object that threw" },
  "holdfast.object.cool_down": { about: "Rests of objects that keep failing to start" },

  "holdfast.alarm.fire": {
    about: "Alarms whose effect is durable",
    duration: "holdfast.alarm.duration",
    span: "alarm",
    measures: {
      lateMs: sum("holdfast.alarm.lateness", "ms", "From the time set to the durable effect"),
    },
  },
  "holdfast.alarm.retry": {
    about: "Tries of alarms that failed and come again",
    duration: "holdfast.alarm.duration",
    span: "alarm",
  },
  "holdfast.alarm.park": {
    about: "Alarms given up",
    duration: "holdfast.alarm.duration",
    span: "alarm",
  },
  "holdfast.alarm.visit_failed": { about: "Looks at an object with an alarm that failed" },
  "holdfast.alarm.poll_failed": { about: "Looks at the index of alarms that failed" },

  "holdfast.document.open": {
    about: "Documents loaded into memory",
    duration: "holdfast.document.open.duration",
    span: "document open",
  },
  "holdfast.document.close": { about: "Documents that left memory" },
  "holdfast.document.join": { about: "Subscriptions of documents begun" },
  "holdfast.document.leave": { about: "Subscriptions of documents ended" },
  "holdfast.document.commit": {
    about: "Writes of the logs of documents",
    measures: {
      operations: sum("holdfast.document.operations", "{operation}", "Operations committed"),
    },
  },
  "holdfast.document.conflict": {
    about: "Writes of a log that another node was before",
    measures: {
      operations: sum("holdfast.document.replays", "{operation}", "Operations judged again"),
    },
  },
  "holdfast.document.store_failed": { about: "Writes of a log that failed and come again" },
  "holdfast.document.snapshot": {
    about: "Snapshots of documents",
    duration: "holdfast.document.snapshot.duration",
    span: "document snapshot",
  },
  "holdfast.document.snapshot_failed": { about: "Snapshots of documents that failed" },
  "holdfast.document.trim": { about: "Logs of documents that were cut" },
  "holdfast.document.delete": { about: "Documents deleted" },

  "holdfast.stash.recover": { about: "Stashes recovered" },
  "holdfast.stash.stash": { about: "Stashes stored" },
  "holdfast.stash.skip": { about: "Stashes with keys left out as invalid" },
  "holdfast.stash.refuse": { about: "Stashes refused" },

  "holdfast.session.create": { about: "Sessions begun" },
  "holdfast.session.touch": { about: "Sessions whose use was noted" },
  "holdfast.session.rotate": { about: "Sessions given a new id" },
  "holdfast.session.move": { about: "Sessions moved under the current secret" },
  "holdfast.session.destroy": { about: "Sessions ended" },
  "holdfast.session.ambiguous_cookie": { about: "Requests with cookies of several sessions" },
  "holdfast.session.sweep": {
    about: "Sweeps of expired sessions",
    measures: {
      removed: sum("holdfast.session.removed", "{record}", "Records removed by sweeps"),
    },
  },

  "holdfast.live.join": {
    about: "Views that were connected, first render included",
    span: "live join",
  },
  "holdfast.live.event": {
    about: "Events of views handled, render included",
    span: "live event",
  },
  "holdfast.live.leave": { about: "Views that are over" },
  "holdfast.live.crash": { about: "Views ended because one of their functions threw" },
  "holdfast.live.refuse": { about: "Connections and joins refused" },
  "holdfast.live.drain": {
    about: "Leaves that nodes took of their pages",
    span: "live drain",
    measures: {
      views: sum("holdfast.live.drained_views", "{view}", "Views connected when a drain began"),
      failed: sum("holdfast.live.drain_failures", "{view}", "Views a drain could not store"),
    },
  },
  "holdfast.sync.stream": { about: "Steps in the life of a stream of changes" },
  "holdfast.sync.role": { about: "Roles taken among the nodes that share a stream of changes" },
  "holdfast.sync.slot": {
    about: "Looks at a slot that stays",
    measures: {
      retainedBytes: sum("holdfast.sync.retained", "By", "Log that the server keeps, each look"),
    },
  },
  "holdfast.sync.load": {
    about: "Duration of the loads of watched values",
    duration: "holdfast.sync.load.duration",
    span: "sync load",
  },
  "holdfast.sync.invalidate": { about: "Watched values that have to be loaded again" },
  "holdfast.origin.refuse": { about: "Requests refused for where their pages are from" },
  "holdfast.inspector.action": { about: "What operators have asked the inspector to do" },
  "holdfast.sync.failed": { about: "Functions and parsers that threw at a change" },
};

/** What an event becomes; one that this table does not know is counted under its name. */
export function mappingOf(name: string): Mapping {
  const known: Readonly<Record<string, Mapping>> = mappings;
  return Object.hasOwn(known, name) ? known[name] ?? unknown : unknown;
}

const unknown: Mapping = { about: "An event of Holdfast" };
