import type { StorageCallOptions } from "../../src/ports/storage.ts";
import { STATE_KEY, stateText } from "./envelope.ts";
import { inParallel, pagesOf } from "./keys.ts";
import {
  copy,
  look,
  type MigrationPhase,
  move,
  over,
  recordIn,
  repeat,
  type Seen,
  type Stores,
} from "./protocol.ts";

/** How far a pass has come. */
export interface MigrationProgress {
  /** The last key it is done with; a later pass may go on from here. */
  readonly after: string;
  /** Keys it has looked at. */
  readonly keys: number;
  /** Keys for which it had something to do. */
  readonly changed: number;
}

/** Options of a pass. */
export interface MigrateOptions extends StorageCallOptions {
  /** Go on behind this key. @default {""} */
  readonly after?: string;
  /** Keys worked on at a time, 1 or more. @default {16} */
  readonly concurrency?: number;
  /** Told after every page of 1000 keys. */
  readonly onProgress?: (progress: MigrationProgress) => void;
}

/** What a look at everything has found. */
export interface MigrationReport {
  /** Nothing is left to do in this phase: the next one may begin. */
  readonly complete: boolean;
  /** Keys looked at. */
  readonly keys: number;
  /** Keys that a pass of this phase still has to copy or to move. */
  readonly pending: number;
  /** Texts in the new storage that are no records and belong to nothing; a pass removes them. */
  readonly leftovers: number;
}

const PAGE_SIZE = 1000;

/** What a key needs: nothing, a step towards the new store, or the removal of what is left over. */
type Need = "nothing" | "step" | "removal";

/** Decides what a key needs in a phase. */
export function needOf(phase: MigrationPhase, { old, new: found }: Seen): Need {
  if (old.kind === "record") {
    const copied = found.kind === "copy" && found.from === old.etag;
    return phase === "copying" && copied ? "nothing" : "step";
  }
  if (found.kind === "record" || found.kind === "absent") return "nothing";
  if (old.kind === "mark" && recordIn(found, old.token) !== undefined) {
    // A node that does not migrate could not read it.
    return phase === "copying" ? "nothing" : "step";
  }
  return "removal";
}

/** Does one thing for a key; `undefined` if it has to be looked at again. */
async function advance(
  stores: Stores,
  phase: MigrationPhase,
  key: string,
  options: StorageCallOptions,
): Promise<boolean | undefined> {
  const seen = await look(stores, key, options);
  const need = needOf(phase, seen);
  if (need === "nothing") return false;
  const { old, new: found } = seen;
  if (old.kind === "record") {
    if (phase === "copying") {
      return await copy(stores, key, seen, options) !== undefined || undefined;
    }
    await move(stores, key, seen, options);
    return undefined;
  }
  const { signal: _, ...condition } = over(found, {});
  if (need === "removal") {
    const ifMatch = "ifMatch" in condition ? condition.ifMatch : "";
    return (await stores.to.delete(key, { ...options, ifMatch })).ok || undefined;
  }
  if (found.kind !== "copy") return undefined;
  return (await stores.to.put(key, found.value, { ...options, ...condition })).ok || undefined;
}

/**
 * Goes through all keys once and does for each what the phase is about: copies it, or moves it and
 * turns its copy into a plain record. May run twice, on several nodes, and beside everything else.
 */
export async function migrateAll(
  stores: Stores,
  phase: MigrationPhase,
  options: MigrateOptions,
): Promise<MigrationProgress> {
  const { after = "", concurrency = 16, onProgress } = options;
  const call = options.signal === undefined ? {} : { signal: options.signal };
  let progress: MigrationProgress = { after, keys: 0, changed: 0 };
  const walk = { prefix: "", after, pageSize: PAGE_SIZE, ...call };
  for await (const page of pagesOf([stores.from, stores.to], walk)) {
    const changed = await inParallel(page, concurrency, (key) => finish(stores, phase, key, call));
    progress = {
      after: page.at(-1) ?? progress.after,
      keys: progress.keys + page.length,
      changed: progress.changed + changed.filter(Boolean).length,
    };
    onProgress?.(progress);
  }
  await writeState(stores, phase, call);
  return progress;
}

async function finish(
  stores: Stores,
  phase: MigrationPhase,
  key: string,
  options: StorageCallOptions,
): Promise<boolean> {
  let rounds = 0;
  const changed = await repeat(options.signal, () => {
    rounds++;
    return advance(stores, phase, key, options);
  });
  return changed || rounds > 1;
}

/** Says that the copying is done; takes away what a migration the other way round has said. */
async function writeState(
  { from, to }: Stores,
  phase: MigrationPhase,
  options: StorageCallOptions,
): Promise<void> {
  if (phase === "copying") await from.put(STATE_KEY, stateText(), options);
  else await to.delete(STATE_KEY, options);
}

/** Looks at all keys and changes nothing. */
export async function verifyAll(
  stores: Stores,
  phase: MigrationPhase,
  options: StorageCallOptions,
): Promise<MigrationReport> {
  let keys = 0;
  const count = { nothing: 0, step: 0, removal: 0 };
  const walk = { prefix: "", after: "", pageSize: PAGE_SIZE, ...options };
  for await (const page of pagesOf([stores.from, stores.to], walk)) {
    const needs = await inParallel(
      page,
      16,
      async (key) => needOf(phase, await look(stores, key, options)),
    );
    for (const need of needs) count[need]++;
    keys += page.length;
  }
  const { step: pending, removal: leftovers } = count;
  return { complete: pending + leftovers === 0, keys, pending, leftovers };
}
