import { utf8Length } from "../../src/core/json.ts";
import { decodeRecord } from "../../src/object/record.ts";
import type { Storage } from "../../src/ports/storage.ts";
import { isReserved } from "../migrating/envelope.ts";
import type { Command } from "./output.ts";
import { placeOf, STORAGE_HELP, withStorage } from "./storages.ts";
import { command, type Outcome } from "./verb.ts";
import { forEach, keyPages } from "./walk.ts";

const HELP = `holdfast inspect STORAGE [options]

  Counts what a storage holds, by namespace, kind and class, and adds up its sizes. Reads every
  record once, changes nothing, and shows no id and no value.

  --no-sizes         reads the keys alone: faster, without sizes, ended and damaged records, which
                     are then 0 in JSON
  --json             {"ok":true,"storage":…,"records":N,"bytes":N,"groups":[{"namespace","kind",
                     "class","records","ended","damaged","migrating","bytes","largest"}]}; "migrating"
                     are marks and copies of migrate-storage

${STORAGE_HELP}

Ends with 0, with 1 if a record is damaged or the storage failed, 2 if the arguments are wrong.`;

interface Group {
  readonly namespace: string;
  readonly kind: string;
  readonly class: string;
  records: number;
  ended: number;
  damaged: number;
  migrating: number;
  bytes: number;
  largest: number;
}

/** `holdfast inspect STORAGE` */
export const inspectCommand: Command = command({
  help: HELP,
  options: { "no-sizes": { type: "boolean" } },
  words: [1, 1],
  run: async (given, { cwd, progress }) => {
    const place = placeOf(given.positionals[0] ?? "", cwd);
    const groups = await withStorage(
      place,
      false,
      (storage) => count(storage, !given.flag("no-sizes"), progress),
    );
    progress?.("");
    return outcomeOf(place.shown, groups, !given.flag("no-sizes"));
  },
});

async function count(
  storage: Storage,
  sizes: boolean,
  progress: ((text: string) => void) | undefined,
): Promise<readonly Group[]> {
  const groups = new Map<string, Group>();
  let seen = 0;
  for await (const page of keyPages(storage, "")) {
    await forEach(page, async (key) => {
      const group = groupOf(groups, key);
      group.records++;
      if (!sizes) return;
      const stored = await storage.get(key);
      if (stored !== undefined) measure(group, stored.value);
    });
    seen += page.length;
    progress?.(`${seen} records`);
  }
  return [...groups.values()].sort((a, b) => nameOf(a) < nameOf(b) ? -1 : 1);
}

function measure(group: Group, value: string): void {
  const bytes = utf8Length(value);
  group.bytes += bytes;
  group.largest = Math.max(group.largest, bytes);
  if (isReserved(value)) {
    group.migrating++;
    return;
  }
  // An entry of the alarm index says everything in its key.
  if (group.kind === "alarm" || group.kind === "other") return;
  const { ended, problem } = decodeRecord("", value, Infinity);
  if (ended !== undefined) group.ended++;
  if (problem !== undefined) group.damaged++;
}

const KINDS = new Set(["object", "document", "session", "alarm"]);

function groupOf(groups: Map<string, Group>, key: string): Group {
  const [namespace = "", kind = "", ...rest] = key.split("/");
  const known = KINDS.has(kind);
  // Sessions have no classes; the entry of an alarm begins with its time.
  const name = !known || kind === "session" ? "" : rest[kind === "alarm" ? 1 : 0] ?? "";
  const place = `${namespace}/${kind}/${name}`;
  let group = groups.get(place);
  if (group === undefined) {
    const zero = { records: 0, ended: 0, damaged: 0, migrating: 0, bytes: 0, largest: 0 };
    group = { namespace, kind: known ? kind : "other", class: name, ...zero };
    groups.set(place, group);
  }
  return group;
}

function nameOf({ namespace, kind, class: name }: Group): string {
  return [namespace, kind, name].filter((part) => part !== "").join("/");
}

function outcomeOf(storage: string, groups: readonly Group[], sizes: boolean): Outcome {
  const sum = (of: (group: Group) => number) => groups.reduce((all, group) => all + of(group), 0);
  const [records, bytes] = [sum((group) => group.records), sum((group) => group.bytes)];
  const rows = groups.map((group) => [
    nameOf(group),
    String(group.records),
    // What was not looked at is not nothing.
    ...(sizes
      ? [String(group.ended), String(group.damaged), sizeOf(group.bytes), sizeOf(group.largest)]
      : ["-", "-", "-", "-"]),
  ]);
  const moved = sum((group) => group.migrating);
  const marks = moved === 0 ? [] : [`${moved} of them are marks or copies of a migration`];
  const table = [["what", "records", "ended", "damaged", "size", "largest"], ...rows];
  return {
    ok: groups.every(({ damaged }) => damaged === 0),
    data: { storage, records, bytes, groups },
    lines: [
      ...columns(table),
      "",
      ...marks,
      `${records} records,${sizes ? ` ${sizeOf(bytes)},` : ""} in ${storage}`,
    ],
  };
}

/** Lines with aligned columns, the first to the left. */
export function columns(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = rows.reduce<readonly number[]>(
    (most, row) => row.map((cell, i) => Math.max(cell.length, most[i] ?? 0)),
    [],
  );
  return rows.map((row) =>
    row.map((cell, i) => i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))
      .join("  ").trimEnd()
  );
}

/** A number of bytes for a reader. */
export function sizeOf(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const kib = bytes / 1024;
  return kib < 1024 ? `${kib.toFixed(1)} KiB` : `${(kib / 1024).toFixed(1)} MiB`;
}
