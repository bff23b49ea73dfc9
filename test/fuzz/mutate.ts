/** Numbers that repeat for the same seed: xorshift, 32 bits, which is plenty to choose mutations. */
export class Chance {
  #state: number;

  /** @param seed Any whole number. */
  constructor(seed: number) {
    this.#state = (Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ (seed >>> 13)) | 0 || 1;
    for (let i = 0; i < 4; i++) this.below(2);
  }

  /** A whole number from 0 to one less than `limit`. */
  below(limit: number): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return (x >>> 0) % limit;
  }

  /** One of some things. */
  pick<T>(from: readonly T[]): T {
    const picked = from[this.below(from.length)];
    if (picked === undefined && from.length === 0) {
      throw new RangeError("Cannot pick: there is none");
    }
    return picked as T;
  }
}

const encoder = new TextEncoder();
const decoder: TextDecoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** What parsers have stumbled over elsewhere. */
const pieces: readonly Uint8Array[] = [
  ...'" \\ \\u0000 \\ud800 { } [ ] , : ; = . / \n \r\n \0 \ufeff \u2028 ~ ~00 % %00 __proto__ constructor'
    .split(" "),
  "1e999",
  "-0",
  "9007199254740993",
  "null",
  '"t":',
  "[".repeat(70),
  '{"a":'.repeat(70),
  "a".repeat(5000),
  "💥",
].map((text) => encoder.encode(text));

const edges: readonly (readonly number[])[] = [
  [0xff, 0xff, 0xff, 0xff],
  [0x7f, 0xff, 0xff, 0xff],
  [0x80, 0, 0, 0],
  [0, 0, 0, 0],
  [0xff, 0xff],
  [0xc0, 0xaf],
  [0xed, 0xa0, 0x80],
];

const atoms: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1.5,
  2 ** 53,
  1e308,
  "",
  "x",
  "\ud800",
  "__proto__",
  [],
  {},
  [[]],
  { a: { b: [1] } },
  JSON.parse('{"__proto__":1}'),
];

/** Makes another input of a corpus: a few changes of the bytes, or of the values if it is JSON. */
export function mutate(corpus: readonly Uint8Array[], chance: Chance): Uint8Array {
  let bytes = chance.pick(corpus);
  if (chance.below(3) === 0) bytes = changeValue(bytes, chance);
  const rounds = chance.below(4);
  for (let i = 0; i < rounds; i++) bytes = changeBytes(bytes, corpus, chance);
  return bytes;
}

/** Replaces, removes or adds one value somewhere in JSON; other bytes are given back as they are. */
function changeValue(bytes: Uint8Array, chance: Chance): Uint8Array {
  let value: unknown;
  try {
    value = JSON.parse(decoder.decode(bytes));
  } catch {
    return bytes;
  }
  const holders: Record<string, unknown>[] = [];
  const visit = (found: unknown): void => {
    if (typeof found !== "object" || found === null) return;
    holders.push(found as Record<string, unknown>);
    for (const inner of Object.values(found)) visit(inner);
  };
  visit(value);
  if (holders.length === 0) return encoder.encode(JSON.stringify(chance.pick(atoms)));
  const holder = chance.pick(holders);
  const names = Object.keys(holder);
  const name = names.length === 0 || chance.below(8) === 0 ? "x" : chance.pick(names);
  if (chance.below(4) === 0) delete holder[name];
  else holder[name] = structuredClone(chance.pick(atoms));
  return encoder.encode(JSON.stringify(value));
}

function changeBytes(
  bytes: Uint8Array,
  corpus: readonly Uint8Array[],
  chance: Chance,
): Uint8Array {
  const at = chance.below(bytes.length + 1);
  const most = Math.min(bytes.length - at, 1 + chance.below(chance.below(4) === 0 ? 64 : 4));
  switch (chance.below(7)) {
    case 0: {
      const copy = bytes.slice();
      if (at < copy.length) copy[at] = copy[at]! ^ (1 << chance.below(8));
      return copy;
    }
    case 1:
      return replaced(bytes, at, most, Uint8Array.of(chance.below(256)));
    case 2:
      return replaced(bytes, at, most, new Uint8Array());
    case 3:
      return replaced(bytes, at, 0, chance.pick(pieces));
    case 4: {
      const edge = chance.pick(edges);
      return replaced(bytes, at, Math.min(edge.length, bytes.length - at), Uint8Array.from(edge));
    }
    case 5:
      return replaced(bytes, at, 0, bytes.subarray(at, at + most));
    default: {
      const other = chance.pick(corpus);
      return replaced(bytes, at, bytes.length - at, other.subarray(chance.below(other.length + 1)));
    }
  }
}

/** Bytes with a part of them replaced. */
export function replaced(
  bytes: Uint8Array,
  at: number,
  length: number,
  by: Uint8Array,
): Uint8Array {
  const made = new Uint8Array(bytes.length - length + by.length);
  made.set(bytes.subarray(0, at));
  made.set(by, at);
  made.set(bytes.subarray(at + length), at + by.length);
  return made;
}
