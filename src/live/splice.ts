import type { Splice } from "./protocol.ts";

/** Most changed pieces looked for; past it the middle is replaced as a whole. */
const maxEdits = 48;

/** Shorter middles are replaced as a whole. */
const minMiddle = 48;

/**
 * Finds what turns one text into another: replacements in ascending order, all indexes into the
 * first. No replacement begins or ends within a surrogate pair of either text.
 *
 * What is between the common beginning and the common end is compared piece by piece, a piece being
 * what begins with a `<`. Source: Myers, "An O(ND) Difference Algorithm and Its Variations", 1986.
 */
export function splice(from: string, to: string): readonly Splice[] {
  if (from === to) return [];
  const head = commonStart(from, to);
  const tail = commonEnd(from, to, head);
  const a = from.slice(head, from.length - tail);
  const b = to.slice(head, to.length - tail);
  if (a.length < minMiddle || b.length < minMiddle) return [[head, a.length, b]];
  return pieceByPiece(pieces(a), pieces(b), head) ?? [[head, a.length, b]];
}

/** Applies replacements to the text they were found for. */
export function applySplices(base: string, splices: readonly Splice[]): string {
  let text = "";
  let at = 0;
  for (const [index, remove, insert] of splices) {
    text += base.slice(at, index) + insert;
    at = index + remove;
  }
  return text + base.slice(at);
}

function commonStart(a: string, b: string): number {
  const most = Math.min(a.length, b.length);
  let at = 0;
  while (at < most && a.charCodeAt(at) === b.charCodeAt(at)) at++;
  return at > 0 && isHigh(a.charCodeAt(at - 1)) ? at - 1 : at;
}

function commonEnd(a: string, b: string, start: number): number {
  const most = Math.min(a.length, b.length) - start;
  let length = 0;
  while (
    length < most && a.charCodeAt(a.length - 1 - length) === b.charCodeAt(b.length - 1 - length)
  ) {
    length++;
  }
  return length > 0 && isLow(a.charCodeAt(a.length - length)) ? length - 1 : length;
}

function isHigh(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xdc00;
}

function isLow(unit: number): boolean {
  return unit >= 0xdc00 && unit < 0xe000;
}

function pieces(text: string): readonly string[] {
  return text.split(/(?=<)/);
}

/** Replacements of pieces; `undefined` if too many differ. */
function pieceByPiece(
  a: readonly string[],
  b: readonly string[],
  offset: number,
): readonly Splice[] | undefined {
  const kept = commonPieces(a, b);
  if (kept === undefined) return undefined;
  const splices: Splice[] = [];
  let at = offset;
  let [x, y] = [0, 0];
  for (const [nextX, nextY] of [...kept, [a.length, b.length] as const]) {
    const removed = a.slice(x, nextX).join("");
    const added = b.slice(y, nextY).join("");
    if (removed !== added) splices.push(trimmed(at, removed, added));
    at += removed.length + (a[nextX]?.length ?? 0);
    [x, y] = [nextX + 1, nextY + 1];
  }
  return splices;
}

function trimmed(at: number, removed: string, added: string): Splice {
  const head = commonStart(removed, added);
  const tail = commonEnd(removed, added, head);
  return [at + head, removed.length - head - tail, added.slice(head, added.length - tail)];
}

type Pair = readonly [x: number, y: number];

/** The pieces both have, in order, as pairs of indexes; `undefined` if too many differ. */
function commonPieces(a: readonly string[], b: readonly string[]): readonly Pair[] | undefined {
  const reach = new Map<number, number>([[1, 0]]);
  const trace: Map<number, number>[] = [];
  for (let edits = 0; edits <= maxEdits; edits++) {
    trace.push(new Map(reach));
    for (let k = -edits; k <= edits; k += 2) {
      const down = k === -edits || (k !== edits && at(reach, k - 1) < at(reach, k + 1));
      let x = down ? at(reach, k + 1) : at(reach, k - 1) + 1;
      let y = x - k;
      while (x < a.length && y < b.length && a[x] === b[y]) [x, y] = [x + 1, y + 1];
      reach.set(k, x);
      if (x >= a.length && y >= b.length) return walkBack(trace, a.length, b.length);
    }
  }
  return undefined;
}

function at(reach: ReadonlyMap<number, number>, k: number): number {
  return reach.get(k) ?? -1;
}

function walkBack(trace: readonly Map<number, number>[], endX: number, endY: number): Pair[] {
  const pairs: Pair[] = [];
  let [x, y] = [endX, endY];
  for (let edits = trace.length - 1; edits >= 0; edits--) {
    const reach = trace[edits] as Map<number, number>;
    const k = x - y;
    const down = k === -edits || (k !== edits && at(reach, k - 1) < at(reach, k + 1));
    const before = down ? k + 1 : k - 1;
    const [fromX, fromY] = [at(reach, before), at(reach, before) - before];
    while (x > fromX && y > fromY && x > 0 && y > 0) pairs.push([x -= 1, y -= 1]);
    [x, y] = [fromX, fromY];
  }
  return pairs.reverse();
}
