import type { JsonObject } from "../core/json.ts";
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

/** Decides what a stash recovers from its slice (SPEC SH4 to SH10). Writes nothing. */
export function recoverSlice(
  definition: AnyDefinition,
  slice: Slice | "damaged" | undefined,
  page: string | undefined,
): Recovery {
  if (slice === undefined) return { status: "not_found", fields: {} };
  if (slice === "damaged") {
    return { status: "error", fields: {}, cause: new Error("The stored slice has another form") };
  }
  const mount = page === undefined ? "navigation" : "rejoin";
  const draft = draftOf(slice, page);
  const data = draft === undefined ? slice.keys : { ...slice.keys, ...draft.keys };
  const upgraded = upgrade({ vsn: slice.vsn, data }, definition.vsn, definition.migrate);
  if (upgraded.status === "failed") {
    return { status: "error", fields: {}, cause: upgraded.cause };
  }
  if (upgraded.status === "newer" || upgraded.status === "discarded") {
    return { status: upgraded.status, fields: {} };
  }
  const fields = pickDeclared(definition.scopes, upgraded.data, mount);
  if (upgraded.status === "migrated") return { status: "migrated", fields };
  return { status: Object.keys(fields).length > 0 ? "recovered" : "not_found", fields };
}

function draftOf(slice: Slice, page: string | undefined): Draft | undefined {
  return page !== undefined && Object.hasOwn(slice.drafts, page) ? slice.drafts[page] : undefined;
}

/** What a writer changes: its own keys, and its page's drafts. */
export interface SliceChange {
  /** Changes of `"session"` keys. */
  readonly keys: Patch;
  /** Changes of `"reconnect"` keys, and the page instance they belong to. */
  readonly draft?: { readonly page: string; readonly patch: Patch };
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
  const drafts = change.draft === undefined
    ? slice.drafts
    : keepDrafts(changeDraft(slice.drafts, change.draft, now), now, limits);
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

function migrateSlice(definition: AnyDefinition, stored: Slice): SliceOutcome {
  const { vsn, scopes, migrate } = definition;
  const upgraded = upgrade({ vsn: stored.vsn, data: stored.keys }, vsn, migrate);
  if (upgraded.status === "failed") {
    return { ok: false, why: "unreadable", cause: upgraded.cause };
  }
  if (upgraded.status !== "migrated") return { ok: true, slice: { vsn, keys: {}, drafts: {} } };
  const keys = pickDeclared(scopes, upgraded.data, "navigation");
  const drafts: Record<string, Draft> = {};
  for (const [page, draft] of Object.entries(stored.drafts)) {
    const data = { ...stored.keys, ...draft.keys };
    const one = upgrade({ vsn: stored.vsn, data }, vsn, migrate);
    if (one.status === "failed") return { ok: false, why: "unreadable", cause: one.cause };
    if (one.status !== "migrated") continue;
    drafts[page] = { at: draft.at, keys: onlyReconnect(definition, one.data) };
  }
  return { ok: true, slice: { vsn, keys, drafts } };
}

function onlyReconnect(definition: AnyDefinition, data: JsonObject): JsonObject {
  const kept: JsonObject = {};
  for (const [key, value] of Object.entries(pickDeclared(definition.scopes, data, "rejoin"))) {
    if (definition.scopes.get(key) === "reconnect") kept[key] = value;
  }
  return kept;
}

function changeDraft(
  drafts: Slice["drafts"],
  change: NonNullable<SliceChange["draft"]>,
  now: number,
): Slice["drafts"] {
  const before = Object.hasOwn(drafts, change.page) ? drafts[change.page]?.keys ?? {} : {};
  return { ...drafts, [change.page]: { at: now, keys: applyPatch(before, change.patch) } };
}

/** Drops drafts that are empty, too old, or too many. */
function keepDrafts(drafts: Slice["drafts"], now: number, limits: DraftLimits): Slice["drafts"] {
  const kept = Object.entries(drafts)
    .filter(([, { at, keys }]) => now - at < limits.draftMs && Object.keys(keys).length > 0)
    .sort(([, a], [, b]) => b.at - a.at)
    .slice(0, limits.maxDrafts);
  return Object.fromEntries(kept);
}
