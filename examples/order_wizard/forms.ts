/** Reading what was typed. */
import type { Address } from "./stashes.ts";

/** The text fields of a form; whatever else was sent is left out. */
export type Fields = Readonly<Record<string, string>>;

const maxFieldLength = 2000;

/** Takes the text fields of a form, cut to a length nobody types. */
export function fieldsOf(body: FormData): Fields {
  const entries = [...body].filter((entry): entry is [string, string] =>
    typeof entry[1] === "string"
  );
  return Object.fromEntries(entries.map(([name, value]) => [name, value.slice(0, maxFieldLength)]));
}

/** A whole number from 1 to `most`. */
export function countOf(text: string | undefined, most: number): number {
  const count = Math.trunc(Number(text));
  return Number.isFinite(count) ? Math.min(most, Math.max(1, count)) : 1;
}

/** An id as our own forms make them, else a new one. */
export function idOf(text: string | undefined): string {
  return text !== undefined && /^[\w-]{8,40}$/.test(text) ? text : crypto.randomUUID();
}

/** A field of the address form. */
export interface AddressField {
  readonly name: keyof Address;
  readonly label: string;
  readonly autocomplete: string;
}

export const addressFields: readonly AddressField[] = [
  { name: "name", label: "Name", autocomplete: "name" },
  { name: "street", label: "Street and number", autocomplete: "street-address" },
  { name: "postcode", label: "Postcode", autocomplete: "postal-code" },
  { name: "city", label: "City", autocomplete: "address-level2" },
];

/** What is wrong with a form, by field. */
export type Mistakes = Readonly<Partial<Record<keyof Address, string>>>;

/** Checks an address; what was typed comes back either way. */
export function readAddress(fields: Fields): { address: Address; mistakes: Mistakes } {
  const text = (name: keyof Address) => (fields[name] ?? "").trim().slice(0, 120);
  const address = {
    name: text("name"),
    street: text("street"),
    postcode: text("postcode"),
    city: text("city"),
  };
  const mistakes: Partial<Record<keyof Address, string>> = {};
  for (const { name, label } of addressFields) {
    if (address[name] === "") mistakes[name] = `${label} is missing.`;
  }
  if (address.postcode !== "" && !/^[A-Za-z0-9][A-Za-z0-9 -]{1,10}$/.test(address.postcode)) {
    mistakes.postcode = "A postcode has 2 to 11 letters, digits, blanks or hyphens.";
  }
  return { address, mistakes };
}
