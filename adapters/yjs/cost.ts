import {
  applyUpdate,
  decodeUpdate,
  type Doc,
  findIndexSS,
  getItem,
  getState,
  type ID,
  Item,
  Skip,
  UpdateEncoderV1,
} from "yjs";

/** Changes that are merged at once: those before them are in the document by then. */
const mostAtOnce = 64;

/**
 * Steps over what is there already that one update may take to find its places. Written by an editor a
 * change takes one for each that others have made at the same place meanwhile: two thousand changes of
 * each of two people at the same few places come to 1.4 million. An update that is made up can take as many
 * as the document has for each of its own, which is minutes for 64 KiB (SPEC YJ8).
 */
const mostSteps = 8_000_000;

/** What else an update takes, in steps: for each of its bytes, and to copy each change of a document. */
const stepsOfByte = 40;
const stepsOfCopy = 128;

/** What merging an update takes. */
export interface Cost {
  /** In steps; of one that takes too many, as many as were counted. */
  readonly steps: number;
  /** It can be merged in a moment. */
  readonly soon: boolean;
}

/** A list, a map or a text, as a document has it. */
type AnyType = NonNullable<ReturnType<Doc["share"]["get"]>>;
type Change = Exclude<ReturnType<typeof decodeUpdate>["structs"][number], Skip>;

/**
 * Tells what merging an update takes, and whether it can be done in a moment. One that cannot be merged at all is
 * not judged.
 *
 * @param content What it is merged into; not changed.
 * @param copy Makes a document of the same content, for an update of many changes.
 */
export function costOf(content: Doc, update: Uint8Array, copy: () => Doc): Cost {
  const bytes = update.length * stepsOfByte;
  const { structs, ds } = decodeUpdate(update);
  const changes = structs.filter((each): each is Change => !(each instanceof Skip));
  try {
    const deleting = stepsOfDeleting(content, ds, changes.length);
    if (deleting > mostSteps) return { steps: bytes + deleting, soon: false };
    if (changes.length <= mostAtOnce) {
      const steps = stepsOf(content, changes);
      return { steps: bytes + deleting + steps, soon: steps <= mostSteps };
    }
    const left = mergesInPieces(copy(), changes);
    const steps = bytes + deleting + sizeOf(content) * stepsOfCopy + mostSteps - left;
    return { steps, soon: left >= 0 };
  } catch {
    return { steps: bytes, soon: true };
  }
}

/** How many changes a document has. */
function sizeOf({ store }: Doc): number {
  let size = 0;
  for (const changes of store.clients.values()) size += changes.length;
  return size;
}

/**
 * Each range that is deleted is gone through, whether anything is left in it or not.
 *
 * @param more How many changes come with it.
 */
function stepsOfDeleting(
  { store }: Doc,
  { clients }: ReturnType<typeof decodeUpdate>["ds"],
  more: number,
): number {
  let steps = 0;
  for (const [client, ranges] of clients) {
    const known = store.clients.get(client) ?? [];
    const end = getState(store, client);
    for (const { clock, len } of ranges) {
      steps++;
      steps += Math.min(more, Math.max(0, clock + len - end));
      if (clock >= end || len <= 0) continue;
      const last = Math.min(end, clock + len) - 1;
      steps += findIndexSS(known, last) - findIndexSS(known, clock);
      if (steps > mostSteps) return steps;
    }
  }
  return steps;
}

/** Merges a few changes at a time, those first that others build on; how many steps are left of those it may take. */
function mergesInPieces(doc: Doc, changes: readonly Change[]): number {
  let left = mostSteps;
  let waiting = changes;
  while (waiting.length > 0 && left >= 0) {
    const later: Change[] = [];
    const before = waiting.length;
    let piece: Change[] = [];
    const merge = () => {
      left -= stepsOf(doc, piece);
      if (left >= 0) applyUpdate(doc, encoded(piece));
      piece = [];
    };
    for (const change of waiting) {
      left--;
      if (!isHere(doc, piece, change)) later.push(change);
      else if (piece.push(change) === mostAtOnce) merge();
      if (left < 0) return left;
    }
    merge();
    // The rest builds on changes that are not here.
    if (later.length === before) break;
    waiting = later;
  }
  return left;
}

/** Whether all that a change builds on is in a document or comes before it in a piece. */
function isHere(doc: Doc, piece: readonly Change[], change: Change): boolean {
  const { id } = change;
  const before = { client: id.client, clock: id.clock - 1 } as ID;
  const needs = change instanceof Item ? [change.origin, change.rightOrigin, change.parent] : [];
  return [id.clock === 0 ? null : before, ...needs].every((need) =>
    !isId(need) || need.clock < getState(doc.store, need.client) ||
    within(piece, need) !== undefined
  );
}

/** Whether something names a change. */
export function isId(value: unknown): value is ID {
  return typeof value === "object" && value !== null && "clock" in value && "client" in value;
}

function within(piece: readonly Change[], { client, clock }: ID): Change | undefined {
  return piece.find(({ id, length }) =>
    id.client === client && id.clock <= clock && clock < id.clock + length
  );
}

/** Few changes as an update. */
function encoded(changes: readonly Change[]): Uint8Array {
  const encoder = new UpdateEncoderV1();
  const clients = Map.groupBy(changes, ({ id }) => id.client);
  encoder.writeLen(clients.size);
  for (const [client, theirs] of clients) {
    encoder.writeLen(theirs.length);
    encoder.writeClient(client);
    encoder.writeLen(theirs[0]?.id.clock ?? 0);
    for (const change of theirs) change.write(encoder as never, 0);
  }
  // Nothing is deleted.
  encoder.writeLen(0);
  return encoder.toUint8Array();
}

/** How many steps a few changes take over what is in a document. */
function stepsOf(doc: Doc, piece: readonly Change[]): number {
  let steps = 0;
  for (const change of piece) {
    if (!(change instanceof Item)) continue;
    if (change.id.clock + change.length <= getState(doc.store, change.id.client)) continue;
    const end = placeOf(doc, piece, change.rightOrigin, "rightOrigin");
    const from = placeOf(doc, piece, change.origin, "origin");
    // Both are in one text that is not split yet.
    if (from !== null && from === end) continue;
    let at = from === null ? firstOf(doc, change, end) : from.right;
    for (; at !== null && at !== end && steps <= mostSteps; at = at.right) steps++;
  }
  return steps;
}

/** What is in the document of the place beside which a change goes, through others of its piece. */
function placeOf(
  doc: Doc,
  piece: readonly Change[],
  of: ID | null,
  side: "origin" | "rightOrigin",
): Item | null {
  for (let id = of, tries = 0; id !== null && tries <= piece.length; tries++) {
    if (id.clock < getState(doc.store, id.client)) {
      const found = getItem(doc.store, id);
      return found instanceof Item ? found : null;
    }
    const before = within(piece, id);
    if (!(before instanceof Item)) return null;
    id = before[side];
  }
  return null;
}

/** Where a search begins that has nothing before it. */
function firstOf(doc: Doc, { parent, parentSub }: Item, end: Item | null): Item | null {
  const type = typeOf(doc, parent) ?? (end?.parent as AnyType | undefined);
  if (type === undefined) return null;
  if (parentSub === null) return type._start;
  let first = type._map.get(parentSub) ?? null;
  while (first !== null && first.left !== null) first = first.left;
  return first;
}

function typeOf(doc: Doc, parent: unknown): AnyType | undefined {
  if (typeof parent === "string") return doc.share.get(parent);
  if (!isId(parent) || parent.clock >= getState(doc.store, parent.client)) return undefined;
  const found = getItem(doc.store, parent);
  return found instanceof Item ? (found.content as { type?: AnyType }).type : undefined;
}
