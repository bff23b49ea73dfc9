import {
  ContentAny,
  ContentEmbed,
  ContentJSON,
  ContentString,
  type decodeUpdate,
  type Doc,
  findIndexSS,
  getState,
  type ID,
  Item,
} from "yjs";

type Struct = ReturnType<typeof decodeUpdate>["structs"][number];

/**
 * Tells whether an update has other changes than a document under numbers that the document knows already. Yjs
 * takes those for known and leaves them out, and who has made them shows for ever what nobody else does (SPEC
 * YJ10). It happens when somebody has written under another's number, or one browser under one number twice.
 */
export function contradicts({ store }: Doc, structs: readonly Struct[]): boolean {
  return structs.some((struct) => {
    // What is deleted has a length without a content: as many could be gone through as somebody says.
    if (!(struct instanceof Item) || !struct.countable) return false;
    const { client, clock } = struct.id;
    const end = Math.min(clock + struct.length, getState(store, client));
    if (clock >= end) return false;
    const known = store.clients.get(client) ?? [];
    for (let at = findIndexSS(known, clock); at < known.length; at++) {
      const there = known[at]!;
      if (there.id.clock >= end) break;
      if (there instanceof Item && differs(struct, there, end)) return true;
    }
    return false;
  });
}

/** Whether two changes are not the same as far as both of them go. */
function differs(one: Item, other: Item, end: number): boolean {
  // What is deleted may be known by its length alone.
  if (other.deleted || !other.countable) return false;
  const from = Math.max(one.id.clock, other.id.clock);
  const to = Math.min(end, other.id.clock + other.length);
  if (one.id.clock === other.id.clock) {
    if (!isSame(one.origin, other.origin) || !isSame(one.rightOrigin, other.rightOrigin)) {
      return true;
    }
  }
  if (one.content.constructor !== other.content.constructor) return true;
  const { content } = one;
  const ofOne = [from - one.id.clock, to - one.id.clock] as const;
  const ofOther = [from - other.id.clock, to - other.id.clock] as const;
  if (content instanceof ContentString) {
    const [mine, theirs] = [
      content.str.slice(...ofOne),
      (other.content as ContentString).str.slice(...ofOther),
    ];
    return mine !== theirs && whole(mine, theirs) !== whole(theirs, mine);
  }
  const holdsValues = [ContentAny, ContentJSON, ContentEmbed].some((each) =>
    content instanceof each
  );
  const [mine, theirs] = [
    content.getContent().slice(...ofOne),
    other.content.getContent().slice(...ofOther),
  ];
  return holdsValues && !isEqual(mine, theirs);
}

/** Whether two values of Yjs are the same: JSON, and what it has beside that. */
function isEqual(one: unknown, other: unknown): boolean {
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null) {
    return Object.is(one, other);
  }
  const keys = Object.keys(one);
  return keys.length === Object.keys(other).length &&
    keys.every((key) =>
      isEqual((one as Record<string, unknown>)[key], (other as Record<string, unknown>)[key])
    );
}

/** A text as it may be once a letter of two units was split in the middle: both then are another one. */
function whole(text: string, beside: string): string {
  return [...text.split("")].map((unit, i) => isHalf(unit) || isHalf(beside[i]) ? "\ufffd" : unit)
    .join("");
}

function isHalf(unit: string | undefined): boolean {
  return unit === "\ufffd" || (unit !== undefined && unit >= "\ud800" && unit <= "\udfff");
}

function isSame(one: ID | null, other: ID | null): boolean {
  return one?.client === other?.client && one?.clock === other?.clock;
}
