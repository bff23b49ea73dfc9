/** What a view may be about: the value of the key column of its rows. */
export type Key = string | number | bigint;

/** How the values of a key column are compared. */
export type KeyType = "smallint" | "integer" | "bigint" | "uuid" | "text";

/** Types a key column may have, by object id: those whose values have one spelling each. */
const KEY_TYPES: ReadonlyMap<number, KeyType> = new Map([
  [20, "bigint"],
  [21, "smallint"],
  [23, "integer"],
  [25, "text"],
  [1043, "text"], // varchar
  [2950, "uuid"],
]);

/** How a type is compared as a key, `undefined` if its values have several spellings. */
export function keyTypeOf(type: number): KeyType | undefined {
  return KEY_TYPES.get(type);
}

/**
 * Writes a key in the one spelling that a type has for it, so that keys can be compared as texts.
 *
 * @param key The key: from the log, a row or a user.
 * @param type How its column is compared.
 * @returns The spelling; `undefined` if the column can hold no such value, and for none at all: no
 * row belongs to nobody in particular.
 */
export function keyText(key: unknown, type: KeyType): string | undefined {
  if (typeof key === "number" && !Number.isSafeInteger(key)) return undefined;
  if (typeof key !== "string" && typeof key !== "number" && typeof key !== "bigint") {
    return undefined;
  }
  const text = String(key);
  if (type === "text") return isText(text) ? text : undefined;
  if (type === "uuid") {
    const hex = text.toLowerCase();
    return UUID.test(hex) ? hex : undefined;
  }
  const integer = INTEGER.test(text) ? BigInt(text) : undefined;
  if (integer === undefined || BigInt.asIntN(BITS[type], integer) !== integer) return undefined;
  return String(integer);
}

/** Tells whether Postgres has such a text: another one would be sent as something else, or refused. */
function isText(text: string): boolean {
  return text.isWellFormed() && !text.includes("\0");
}

const BITS: Readonly<Record<"smallint" | "integer" | "bigint", number>> = {
  smallint: 16,
  integer: 32,
  bigint: 64,
};

const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/;
const INTEGER = /^-?\d{1,19}$/;
