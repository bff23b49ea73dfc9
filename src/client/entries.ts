/** Name and value of a control, as a form submits it. */
export type Entry = readonly [name: string, value: string];

/** The path a name stands for: `user[tags][]` is `["user", "tags"]`. */
export function pathOf(name: string): readonly string[] {
  const at = name.indexOf("[");
  if (at <= 0 || !name.endsWith("]")) return [name];
  return [name.slice(0, at), ...name.slice(at + 1, -1).split("][")].filter((part) => part !== "");
}

/** The entries without files, which never travel. */
export function withoutFiles(entries: Iterable<readonly [string, unknown]>): readonly Entry[] {
  const kept: Entry[] = [];
  for (const [name, value] of entries) if (typeof value === "string") kept.push([name, value]);
  return kept;
}

/** Tells whether two forms hold the same. */
export function sameEntries(a: readonly Entry[], b: readonly Entry[]): boolean {
  return a.length === b.length &&
    a.every(([name, value], i) => name === b[i]?.[0] && value === b[i]?.[1]);
}
