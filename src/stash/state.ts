import type { Age } from "../core/ttl.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../core/json.ts";

/** What a page instance has stashed under `"reconnect"` keys. */
export interface Draft {
  /** When it was last written, in ms since the epoch. */
  readonly at: number;
  /** The values. */
  readonly keys: JsonObject;
  /** Number of the last submit of the page whose effect is stored; 0 for none. */
  readonly submitted: number;
  /** Which connection of the page has written it last, counted from 1; 0 if none did. */
  readonly turn: number;
}

/** One stash's part of a session. */
export interface Slice {
  /** Version of the shape it is stored in. */
  readonly vsn: number;
  /** The `"session"` keys. */
  readonly keys: JsonObject;
  /** The `"reconnect"` keys, per page instance. */
  readonly drafts: Readonly<Record<string, Draft>>;
}

/** The durable state of one browser session. */
export interface SessionState extends Age {
  /** How often the session has moved to another secret's key: of two copies the later has more. */
  readonly hop: number;
  /** Frozen: the storage key the session goes on under, or shall (SPEC SE16, SE17). */
  readonly moved: string | undefined;
  /** The slices by stash name, as stored; read one with {@linkcode readSlice}. */
  readonly views: JsonObject;
}

/** The state of a session that begins now. */
export function newSession(now: number): SessionState {
  return { created: now, seen: now, confirmed: false, hop: 0, moved: undefined, views: {} };
}

/** Reads a session from what was stored; `undefined` if it does not have the shape of one. */
export function readSession(stored: JsonObject): SessionState | undefined {
  const { created, seen, confirmed, hop = 0, moved, views } = stored;
  if (typeof created !== "number" || typeof seen !== "number") return undefined;
  if (typeof confirmed !== "boolean" || typeof hop !== "number") return undefined;
  if ((moved !== undefined && typeof moved !== "string") || !isJsonObject(views)) return undefined;
  return { created, seen, confirmed, hop, moved, views };
}

/** The stored form of a session. */
export function storeSession(session: SessionState): JsonObject {
  const { created, seen, confirmed, hop, moved, views } = session;
  const stored: JsonObject = { created, seen, confirmed, views };
  if (hop > 0) stored["hop"] = hop;
  if (moved !== undefined) stored["moved"] = moved;
  return stored;
}

/** Most slices have none, and a slice is read with each request. */
const noDrafts: Slice["drafts"] = Object.freeze({});

/** Reads a slice; `undefined` if there is none, `"damaged"` if what is there is not a slice. */
export function readSlice(views: JsonObject, name: string): Slice | "damaged" | undefined {
  const stored: JsonValue | undefined = Object.hasOwn(views, name) ? views[name] : undefined;
  if (stored === undefined) return undefined;
  if (!isJsonObject(stored)) return "damaged";
  const { vsn, keys, drafts } = stored;
  if (typeof vsn !== "number" || !isJsonObject(keys)) return "damaged";
  if (drafts === undefined) return { vsn, keys, drafts: noDrafts };
  if (!isJsonObject(drafts)) return "damaged";
  const read: Record<string, Draft> = {};
  for (const [page, draft] of Object.entries(drafts)) {
    if (!isJsonObject(draft) || typeof draft["at"] !== "number" || !isJsonObject(draft["keys"])) {
      return "damaged";
    }
    const { submitted = 0, turn = 0 } = draft;
    if (typeof submitted !== "number" || typeof turn !== "number") return "damaged";
    read[page] = { at: draft["at"], keys: draft["keys"], submitted, turn };
  }
  return { vsn, keys, drafts: read };
}

/** The stored form of a slice, put in its place; the other slices are shared by reference. */
export function storeSlice(views: JsonObject, name: string, slice: Slice | undefined): JsonObject {
  if (slice === undefined) {
    const { [name]: _, ...others } = views;
    return others;
  }
  const stored: JsonObject = { vsn: slice.vsn, keys: slice.keys };
  if (slice.drafts !== noDrafts) {
    const drafts: JsonObject = {};
    for (const [page, { at, keys, submitted, turn }] of Object.entries(slice.drafts)) {
      const draft: JsonObject = { at, keys };
      if (submitted > 0) draft["submitted"] = submitted;
      if (turn > 0) draft["turn"] = turn;
      drafts[page] = draft;
    }
    if (Object.keys(drafts).length > 0) stored["drafts"] = drafts;
  }
  return { ...views, [name]: stored };
}
