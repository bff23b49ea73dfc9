import { type Entry, sameEntries } from "./entries.ts";

/** A form as it is on the page when the server renders it anew. */
export interface FormNow {
  readonly entries: readonly Entry[];
  /** Names of the controls whose values are the user's. */
  readonly mine: ReadonlySet<string>;
}

/**
 * Merges what the user typed into a form the server has rendered anew: the user's controls keep
 * their values, all others take the new ones. Names only the old form has (a row the server has
 * forgotten) come last, and only if something of the user's is among them or differs. A box that the
 * new form has and does not check is not among them, unless it is the user's.
 *
 * @param old The form on the page.
 * @param fresh What the new form would submit.
 * @param names The names of all controls of the new form, whether they submit anything or not.
 * @returns What to send, or `undefined` if the server has it all already.
 */
export function mergeForm(
  old: FormNow,
  fresh: readonly Entry[],
  names: readonly string[],
): readonly Entry[] | undefined {
  const freshNames = new Set(fresh.map(([name]) => name));
  const merged: Entry[] = [];
  const taken = new Set<string>();
  for (const entry of fresh) {
    const [name] = entry;
    if (!old.mine.has(name)) merged.push(entry);
    else if (!taken.has(name)) {
      taken.add(name);
      merged.push(...old.entries.filter((one) => one[0] === name));
    }
  }
  const leftOver = old.entries.filter(([name]) =>
    !freshNames.has(name) && (old.mine.has(name) || !names.includes(name))
  );
  // A checked box the new form has unchecked submits nothing there, so it is in the old one only.
  const toTell = leftOver.some(([name]) => old.mine.has(name)) || !sameEntries(merged, fresh);
  return toTell ? [...merged, ...leftOver] : undefined;
}
