import { outOfRange, wrongArgument } from "../core/options.ts";
import type { JsonValue } from "../core/json.ts";
import { publish } from "./catch_up.ts";
import type { OpenDocument } from "./document.ts";
import type { LogStore } from "./log_store.ts";
import type { HistoryOptions, LogEntry } from "./model.ts";
import type { Entry } from "./stored.ts";
import {
  type AnySpec,
  emptyVersion,
  replayOf,
  upToDate,
  type Version,
  versionOf,
} from "./version.ts";

/** What is read from. */
export interface HistorySource {
  readonly spec: AnySpec;
  readonly key: string;
  readonly log: LogStore;
  readonly open: OpenDocument;
}

/**
 * Reads accepted operations, oldest first.
 *
 * @throws {RangeError} If an option is out of range.
 */
export async function history(
  source: HistorySource,
  options: HistoryOptions<JsonValue>,
): Promise<readonly LogEntry<JsonValue>[]> {
  const { sinceSeq = 0, since = -Infinity, until = Infinity, part, where, limit = 1000 } = options;
  if (!Number.isInteger(limit) || limit < 1 || limit > 10_000) {
    throw outOfRange(`Cannot list history: limit is ${String(limit)}, not 1 to 10000`);
  }
  if (!Number.isInteger(sinceSeq) || sinceSeq < 0) {
    throw outOfRange(`Cannot list history: sinceSeq is ${String(sinceSeq)}, not a whole number`);
  }
  const { parts } = source.spec;
  if (part !== undefined && parts === undefined) {
    throw wrongArgument(`Cannot list history: document "${source.spec.name}" has no parts`);
  }
  const wanted = (entry: Entry): boolean =>
    entry.at >= since && entry.at < until &&
    (part === undefined || entry.op === undefined || parts?.touched(entry.op).includes(part)) ===
      true &&
    (where === undefined || where(publish(entry) as LogEntry<JsonValue>));
  const found: LogEntry<JsonValue>[] = [];
  for await (const entry of entriesAfter(source, sinceSeq)) {
    if (entry.at >= until) break;
    if (wanted(entry)) found.push(publish(entry) as LogEntry<JsonValue>);
    if (found.length === limit) break;
  }
  return found;
}

/** The durable entries after a number, from memory if it has them all. */
async function* entriesAfter(source: HistorySource, seq: number): AsyncGenerator<Entry> {
  const { open, log, key, spec } = source;
  const last = open.durable.seq;
  if (seq >= last) return;
  const recent = open.between(seq, last);
  if (recent !== undefined) return yield* recent;
  for await (const segment of log.read(key, seq + 1)) {
    for (const entry of upToDate(spec, segment).entries) {
      if (entry.seq > last) return;
      if (entry.seq > seq) yield entry;
    }
  }
}

/**
 * The version after an operation.
 *
 * @throws {RangeError} If the log does not go back, or not on, that far.
 */
export async function versionAt(source: HistorySource, seq: number): Promise<Version> {
  const { spec, key, log, open } = source;
  const { durable } = open;
  if (seq === durable.seq) return durable;
  if (!Number.isInteger(seq) || seq < 0 || seq > durable.seq) {
    throw outOfRange(
      `Cannot go back to ${String(seq)} in document "${spec.name}": it has 0 to ${durable.seq}`,
    );
  }
  const { snapshot } = await log.snapshot(key);
  const start = snapshot !== undefined && snapshot.seq <= seq ? snapshot : await log.base(key);
  let version = start === undefined ? emptyVersion(spec) : versionOf(spec, start);
  if (version.seq > seq) {
    throw outOfRange(
      `Cannot go back to ${
        String(seq)
      } in document "${spec.name}": its history begins after ${version.seq}`,
    );
  }
  const replay = replayOf(spec);
  for await (const segment of log.read(key, version.seq + 1)) {
    if (version.seq === seq) break;
    const entries = segment.entries.filter((entry) => entry.seq <= seq);
    version = replay(version, { ...segment, entries });
  }
  return version;
}
