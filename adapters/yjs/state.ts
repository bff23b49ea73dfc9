import {
  applyUpdate,
  decodeUpdate,
  Doc,
  encodeStateAsUpdate,
  getState,
  Item,
  mergeUpdates,
  Skip,
} from "yjs";
import { type Cost, costOf, isId } from "./cost.ts";
import { contradicts } from "./known.ts";
import { decodeBase64url, encodeBase64url } from "../../src/core/base64url.ts";
import { HoldfastError } from "../../src/core/errors.ts";
import type { Applied } from "../../src/document/model.ts";

/** What is stored of a Yjs document: updates that make up its content together. */
export interface YjsState {
  /** Updates of Yjs (format 1) in base64url, oldest first. */
  readonly updates: readonly string[];
}

/** An operation on a Yjs document. */
export interface YjsOp {
  /** An update of Yjs (format 1) in base64url. */
  readonly update: string;
}

/**
 * The content of a state, ready for the next update. Updates change it in place, so it goes over to
 * the state that an update makes; whoever needs that of an older state makes it anew.
 */
const contents: WeakMap<YjsState, Doc> = new WeakMap();

/** An empty state. */
export function emptyState(): YjsState {
  return { updates: [] };
}

/** Puts the content of a state into a document. */
export function fill(doc: Doc, { updates }: YjsState): Doc {
  doc.transact(() => {
    for (const text of updates) applyUpdate(doc, stored(text));
  });
  return doc;
}

function stored(text: string): Uint8Array {
  const update = decodeBase64url(text);
  if (update !== undefined) return update;
  throw new HoldfastError(
    "ERR_CORRUPT_RECORD",
    "Cannot use a Yjs document: what is stored of it is no update",
  );
}

/**
 * Applies an update. It is done to the content, not only read: an update can be read and still be one
 * that no client could take in, and each of them would meet it again and again (SPEC YJ3).
 */
export function applyYjs(state: YjsState, op: YjsOp): Applied<YjsState, YjsOp> {
  const update = readOp(op);
  if (update === undefined) return { reject: "it is no update of Yjs in base64url" };
  // Before there is anything to be made anew: that takes as long as the content is large.
  const decoded = readUpdate(update);
  if (decoded === undefined) return { reject: notSound };
  const content = contentOf(state);
  if (!isComplete(content, decoded)) return { reject: gap };
  if (contradicts(content, decoded.structs)) return { reject: taken };

  contents.delete(state);
  const outcome = takeIn(content, update);
  // A content that may be half changed is not used again.
  if (typeof outcome === "string") return { reject: outcome };
  if (outcome === undefined) {
    contents.set(state, content);
    return { discard: "there is nothing new in it" };
  }
  const text = encodeBase64url(outcome);
  const next = { updates: withUpdate(state.updates, text, content) };
  contents.set(next, content);
  // What came is what was new, as a rule.
  return text === op.update ? { state: next } : { state: next, op: { update: text } };
}

function contentOf(state: YjsState): Doc {
  const content = contents.get(state) ?? fill(new Doc(), state);
  contents.set(state, content);
  return content;
}

/**
 * Tells what it takes to have an update merged, for somebody who may write: one that would keep the server from
 * everything else is refused. What is in the log was judged before, and is not judged again.
 */
export function costOfOp(state: YjsState, op: YjsOp): Cost {
  const update = readOp(op);
  if (update === undefined || readUpdate(update) === undefined) return { steps: 0, soon: true };
  return costOf(contentOf(state), update, () => fill(new Doc(), state));
}

function readOp(op: unknown): Uint8Array | undefined {
  if (typeof op !== "object" || op === null) return undefined;
  const { update } = op as { update?: unknown };
  return typeof update === "string" ? decodeBase64url(update) : undefined;
}

const gap = "it builds on changes that are not here";
const taken = "it has other changes than there are under the same client number";
const notSound = "it is no update of Yjs that can be taken in";

/** Values in values that every browser can read, however small its stack. */
const mostDepth = 64;

/** What an update says, if it can be taken in. */
type Decoded = ReturnType<typeof decodeUpdate>;

/**
 * Reads an update without believing the counts in it, as applying does, which makes room for as many
 * changes as it says. Changes of no length can be applied, and then break what is read later.
 */
function readUpdate(update: Uint8Array): Decoded | undefined {
  try {
    const decoded = decodeUpdate(update);
    const { structs, ds } = decoded;
    const isSound = structs.every((struct) =>
      struct.length > 0 && !isDeep(valueOf(struct), mostDepth)
    ) &&
      [...ds.clients.values()].flat().every(({ len }) => len > 0);
    return isSound ? decoded : undefined;
  } catch {
    return undefined;
  }
}

/** The values that a change carries, whatever its kind. */
function valueOf(struct: object): unknown {
  const { content } = struct as { content?: { arr?: unknown; embed?: unknown; value?: unknown } };
  return content?.arr ?? content?.embed ?? content?.value;
}

function isDeep(value: unknown, left: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return left === 0 || Object.values(value).some((each) => isDeep(each, left - 1));
}

/** Whether all that an update builds on is in a document or in the update. */
function isComplete({ store }: Doc, { structs, ds }: Decoded): boolean {
  const ends = new Map<number, number>();
  const endOf = (client: number) => Math.max(ends.get(client) ?? 0, getState(store, client));
  for (const struct of structs) {
    const { id: { client, clock }, length } = struct;
    if (struct instanceof Skip || clock > endOf(client)) return false;
    ends.set(client, Math.max(endOf(client), clock + length));
  }
  const isHere = (id: unknown) => !isId(id) || id.clock < endOf(id.client);
  return structs.every((struct) =>
    !(struct instanceof Item) || [struct.origin, struct.rightOrigin, struct.parent].every(isHere)
  ) && [...ds.clients].every(([client, ranges]) =>
    ranges.every(({ clock, len }) =>
      clock + len <= endOf(client)
    )
  );
}

/** What was new in an update, as an update; `undefined` if nothing was. A text tells what is wrong. */
function takeIn(content: Doc, update: Uint8Array): Uint8Array | string | undefined {
  let news: Uint8Array | undefined;
  const hear = (heard: Uint8Array) => news = heard;
  content.on("update", hear);
  try {
    applyUpdate(content, update);
  } catch {
    return notSound;
  } finally {
    content.off("update", hear);
  }
  const { pendingStructs, pendingDs } = content.store;
  if (pendingStructs === null && pendingDs === null) return news;
  return gap;
}

/**
 * Adds an update so that few are left: like the digits of a counter, two of about the same size become
 * one, and each byte is written a number of times that grows with the logarithm of the whole. With all
 * in one, what was deleted is gone.
 */
function withUpdate(before: readonly string[], update: string, content: Doc): readonly string[] {
  const updates = [...before];
  let last = update;
  for (let previous = updates.at(-1); previous !== undefined; previous = updates.at(-1)) {
    if (previous.length > 2 * last.length) break;
    updates.pop();
    last = encodeBase64url(
      updates.length === 0
        ? encodeStateAsUpdate(content)
        : mergeUpdates([stored(previous), stored(last)]),
    );
  }
  return [...updates, last];
}
