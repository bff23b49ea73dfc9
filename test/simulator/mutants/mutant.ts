import type { ScenarioName } from "../scenarios/mod.ts";

/** Text of a source to be replaced; it must be there exactly once. */
export interface Edit {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/** A way to break one of the decisions that the library stands on. */
export interface Mutant {
  readonly name: string;
  /** The decision it breaks, by its number in `CONTRIBUTING.md`. */
  readonly decision: number;
  /** Where it shows. */
  readonly scenario: ScenarioName;
  readonly edits: readonly Edit[];
}

/**
 * Changes a source.
 *
 * @throws {Error} If the text to be replaced is not there exactly once: the code has changed, and
 * whoever changed it has to say how it is broken now.
 */
export function mutate(source: string, { file, find, replace }: Edit): string {
  const parts = source.split(find);
  if (parts.length === 2) return parts.join(replace);
  throw new Error(
    `Cannot mutate ${file}: ${JSON.stringify(find)} is there ${parts.length - 1} times`,
  );
}
