import type { JsonLimits, JsonObject } from "../core/json.ts";
import { applyPatch, type Patch } from "../core/slice.ts";
import { mayWrite, upgrade } from "../core/vsn.ts";
import { pickDeclared, type StashDefinition } from "./definition.ts";
import type { Draft, Slice } from "./state.ts";

/** What became of a stash when a request asked for it. */
export type StashStatus =
  | "recovered"
  | "not_found"
  | "migrated"
  | "newer"
  | "discarded"
  | "error";

/** What a stash recovers from a slice. */
export interface Recovery {
  /** What became of it. */
  readonly status: StashStatus;
  /** The declared keys that were found; shared with the record, so never mutated. */
  readonly fields: JsonObject;
  /** Why the status is `"error"`. */
  readonly cause?: unknown;
  /** Number of the page's last submit whose effect is stored. */
  readonly submitted?: number;
}

/** Limits on the drafts of one slice. */
export interface DraftLimits {
  /** Drafts not written for so long are dropped, in milliseconds. */
  readonly draftMs: number;
  /** Most drafts of one slice; the oldest are dropped. */
  readonly maxDrafts: number;
}

// deno-lint-ignore ban-types -- any definition will do here, whatever its state
type AnyDefinition = Pick<StashDefinition<{}>, "vsn" | "scopes" | "migrate">;

/**
 * Decides what a stash recovers from its slice (SPEC SH4 to SH10): what would be there if the slice
 * were written now. Writes nothing.
 */
export function recoverSlice(
  definition: AnyDefinition,
  slice: Slice | "damaged" | undefined,
  page: string | undefined,
): Recovery {
  if (slice === undefined) return { status: "not_found", fields: {} };
  // Nearly always: what follows would find the same, by a longer way.
  if (slice !== "damaged" && slice.vsn === definition.vsn) {
    return foundIn(pickFields(definition, slice, page), submittedOf(slice, page));
  }
  const current = currentSlice(definition, slice);
  if (!current.ok) {
    return current.why === "newer"
      ? { status: "newer", fields: {} }
      : { status: "error", fields: {}, cause: current.cause };
  }
  const isOlder = slice !== "damaged" && slice.vsn < definition.vsn;
  const submitted = submittedOf(current.slice, page);
  if (isOlder && definition.migrate === undefined) {
    return { status: "discarded", fields: {}, submitted };
  }
  const fields = pickFields(definition, current.slice, page);
  return isOlder ? { status: "migrated", fields, submitted } : foundIn(fields, submitted);
}

function foundIn(fields: JsonObject, submitted: number): Recovery {
  return { status: Object.keys(fields).length > 0 ? "recovered" : "not_found", fields, submitted };
}

/** Each key from where its scope says, also when it was stored under another scope. */
function pickFields(definition: AnyDefinition, slice: Slice, page: string | undefined): JsonObject {
  const fields = pickDeclared(definition.scopes, slice.keys, "navigation");
  const draft = draftOf(slice, page);
  return draft === undefined ? fields : { ...fields, ...onlyReconnect(definition, draft.keys) };
}

/** Number of the last submit of a page whose effect is stored; 0 for none. */
export function submittedOf(slice: Slice, page: string | undefined): number {
  return draftOf(slice, page)?.submitted ?? 0;
}

/** Which connection of a page has written its draft last; 0 if none did. */
export function turnOf(slice: Slice, page: string | undefined): number {
  return draftOf(slice, page)?.turn ?? 0;
}

function draftOf(slice: Slice, page: string | undefined): Draft | undefined {
  return page !== undefined && Object.hasOwn(slice.drafts, page) ? slice.drafts[page] : undefined;
}

/** What a writer changes: its own keys, and its page's drafts. */
export interface SliceChange {
  /** Changes of `"session"` keys. */
  readonly keys: Patch;
  /** Changes of `"reconnect"` keys, and the page instance they belong to. */
  readonly draft?: DraftChange;
  /** A page instance that is over: its draft goes. */
  readonly gone?: string;
}

/** What a writer changes of a page's draft. */
export interface DraftChange {
  readonly page: string;
  readonly patch: Patch;
  /** Number of the submit whose effect this is. */
  readonly submitted?: number;
  /** Which connection of the page makes it. */
  readonly turn?: number;
}

/** What became of a change to a slice. */
export type SliceOutcome =
  | { readonly ok: true; readonly slice: Slice }
  | { readonly ok: false; readonly why: "newer"; readonly found: number }
  | { readonly ok: false; readonly why: "unreadable"; readonly cause: unknown };

/**
 * Applies a change to a slice of the writer's version.
 *
 * @param now The present, in ms since the epoch.
 */
export function changeSlice(
  slice: Slice,
  change: SliceChange,
  now: number,
  limits: DraftLimits,
): Slice {
  if (change.gone !== undefined) {
    const { [change.gone]: _, ...drafts } = slice.drafts;
    return { vsn: slice.vsn, keys: applyPatch(slice.keys, change.keys), drafts };
  }
  const drafts = change.draft === undefined
    ? slice.drafts
    : changeDrafts(slice, change.draft, now, limits);
  return { vsn: slice.vsn, keys: applyPatch(slice.keys, change.keys), drafts };
}

/**
 * Brings a slice to the writer's version, or says why that cannot be. An older one is migrated as a
 * whole, drafts included; a newer one is left alone (SPEC SH11, SH12).
 */
export function currentSlice(
  definition: AnyDefinition,
  stored: Slice | "damaged" | undefined,
): SliceOutcome {
  if (stored === undefined) {
    return { ok: true, slice: { vsn: definition.vsn, keys: {}, drafts: {} } };
  }
  if (stored === "damaged") {
    return { ok: false, why: "unreadable", cause: new Error("The stored slice has another form") };
  }
  switch (mayWrite(stored.vsn, definition.vsn)) {
    case "refused":
      return { ok: false, why: "newer", found: stored.vsn };
    case "merge":
      return { ok: true, slice: stored };
    case "replace":
      return migrateSlice(definition, stored);
  }
}

/** As large as a record may be; one level more than a value, because the keys are one. */
const migrateLimits: JsonLimits = { maxBytes: Infinity, maxDepth: 33, maxNodes: 100_000 };

function migrateSlice(definition: AnyDefinition, stored: Slice): SliceOutcome {
  const { vsn, scopes, migrate } = definition;
  const upgraded = upgrade({ vsn: stored.vsn, data: stored.keys }, vsn, migrate, migrateLimits);
  if (upgraded.status === "failed") {
    return { ok: false, why: "unreadable", cause: upgraded.cause };
  }
  if (upgraded.status !== "migrated") {
    return { ok: true, slice: { vsn, keys: {}, drafts: withoutKeys(stored.drafts) } };
  }
  const keys = pickDeclared(scopes, upgraded.data, "navigation");
  const drafts: Record<string, Draft> = {};
  for (const [page, draft] of Object.entries(stored.drafts)) {
    const data = { ...stored.keys, ...draft.keys };
    const one = upgrade({ vsn: stored.vsn, data }, vsn, migrate, migrateLimits);
    if (one.status === "failed") return { ok: false, why: "unreadable", cause: one.cause };
    const kept = one.status === "migrated" ? onlyReconnect(definition, one.data) : {};
    if (isWorthKeeping({ ...draft, keys: kept })) drafts[page] = { ...draft, keys: kept };
  }
  return { ok: true, slice: { vsn, keys, drafts } };
}

/** What was submitted stays submitted, whatever became of the rest. */
function withoutKeys(drafts: Slice["drafts"]): Slice["drafts"] {
  return Object.fromEntries(
    Object.entries(drafts).map(([page, draft]) => [page, { ...draft, keys: {} }] as const)
      .filter(([, draft]) => isWorthKeeping(draft)),
  );
}

/** An empty one still tells what was submitted, and keeps out what an earlier connection has left. */
function isWorthKeeping({ keys, submitted, turn }: Omit<Draft, "at">): boolean {
  return submitted > 0 || turn > 1 || Object.keys(keys).length > 0;
}

function onlyReconnect(definition: AnyDefinition, data: JsonObject): JsonObject {
  const kept: JsonObject = {};
  for (const [key, value] of Object.entries(pickDeclared(definition.scopes, data, "rejoin"))) {
    if (definition.scopes.get(key) === "reconnect") kept[key] = value;
  }
  return kept;
}

/** Changes the draft of a page, and drops others that are too old or too many. */
function changeDrafts(
  slice: Slice,
  { page, patch, submitted: latest = 0, turn: by = 0 }: DraftChange,
  now: number,
  { draftMs, maxDrafts }: DraftLimits,
): Slice["drafts"] {
  const keys = applyPatch(draftOf(slice, page)?.keys ?? {}, patch);
  const submitted = Math.max(latest, submittedOf(slice, page));
  const turn = Math.max(by, turnOf(slice, page));
  // The one just written stays, whatever the clocks of other nodes say.
  const own: [string, Draft][] = isWorthKeeping({ keys, submitted, turn })
    ? [[page, { at: now, keys, submitted, turn }]]
    : [];
  const others = Object.entries(slice.drafts)
    .filter(([of, { at }]) => of !== page && now - at < draftMs)
    .sort(([, a], [, b]) => b.at - a.at)
    .slice(0, maxDrafts - own.length);
  return Object.fromEntries([...own, ...others]);
}
