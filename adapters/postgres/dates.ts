import { outOfRange } from "../../src/core/options.ts";

/** A type of the `postgres` package. */
export interface PostgresDates {
  /** Object id of the type that parameters are sent as. */
  readonly to: number;
  /** Object ids of the types it reads. */
  readonly from: number[];
  /** Writes a parameter. */
  readonly serialize: (value: Date | number | string) => string;
  /** Reads what Postgres has written. */
  readonly parse: (text: string) => Date | number;
}

const [DATE, TIMESTAMP, TIMESTAMPTZ] = [1082, 1114, 1184];

/** These and arrays of them. */
const DATES: ReadonlySet<number> = new Set([DATE, TIMESTAMP, TIMESTAMPTZ, 1182, 1115, 1185]);

const DAY = /^(\d{4,})-(\d\d)-(\d\d)/;
const TIME = / (\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?/;
const ZONE = /([+-])(\d\d)(?::(\d\d))?(?::(\d\d))?/;
const WRITTEN = new RegExp(`${DAY.source}(?:${TIME.source}(?:${ZONE.source})?)?( BC)?$`);

/**
 * Dates and timestamps as `Date`, and what Postgres calls `infinity` and `-infinity` as numbers, for the `types` of an
 * instance of the `postgres` package. Its own type reads infinite dates and those before Christ as an invalid `Date`,
 * and the first century as one of ours.
 *
 * @example
 * ```ts
 * import { postgresDates } from "@holdfast/holdfast/postgres";
 * import { assertEquals } from "@std/assert";
 *
 * // postgres(url, { types: { dates: postgresDates } })
 * assertEquals(postgresDates.parse("0044-03-15 BC"), new Date("-000043-03-15"));
 * assertEquals(postgresDates.parse("infinity"), Infinity);
 * ```
 */
export const postgresDates: PostgresDates = {
  to: TIMESTAMPTZ,
  from: [DATE, TIMESTAMP, TIMESTAMPTZ],
  serialize: write,
  parse: read,
};

/**
 * Reads a date, or a time with or without a zone; one without is that of the process, as the package has it.
 *
 * @throws {RangeError} If no `Date` can hold it, or it is not written as `DateStyle` ISO has it.
 */
function read(text: string): Date | number {
  if (text === "infinity") return Infinity;
  if (text === "-infinity") return -Infinity;
  const parts = WRITTEN.exec(text);
  if (parts === null) {
    throw outOfRange(
      "Cannot read a date of Postgres: its DateStyle is not ISO (ALTER ROLE ... SET DateStyle = 'ISO')",
    );
  }
  const [, years, months, days, hours, minutes, seconds, fraction = "", sign, ...rest] = parts;
  const [zoneHours, zoneMinutes = 0, zoneSeconds = 0, before] = rest;
  const year = before === undefined ? Number(years) : 1 - Number(years);
  const day = [year, Number(months) - 1, Number(days)] as const;
  const time = [
    ...[hours, minutes, seconds].map((part) => Number(part ?? 0)),
    Number(fraction.padEnd(3, "0").slice(0, 3)),
  ] as unknown as readonly [number, number, number, number];
  // Set part by part: the constructor takes the years of the first century for others.
  const date = new Date(0);
  if (hours === undefined || sign !== undefined) {
    date.setUTCFullYear(...day);
    date.setUTCHours(...time);
  } else {
    date.setFullYear(...day);
    date.setHours(...time);
  }
  const aheadS = Number(zoneHours ?? 0) * 3600 + Number(zoneMinutes) * 60 + Number(zoneSeconds);
  if (sign !== undefined) date.setTime(date.getTime() - (sign === "-" ? -aheadS : aheadS) * 1000);
  if (!Number.isNaN(date.getTime())) return date;
  throw outOfRange(
    "Cannot read a date of Postgres: no Date is as late; read it as a text, with a type for dates",
  );
}

/** Writes a date as Postgres reads it, which knows no year of more than four digits as JavaScript writes it. */
function write(value: Date | number | string): string {
  if (value === Infinity || value === -Infinity) return String(value).toLowerCase();
  const date = value instanceof Date ? value : new Date(value);
  const iso = date.toISOString();
  const year = date.getUTCFullYear();
  if (year > 0 && year < 10_000) return iso;
  const rest = iso.slice(iso.indexOf("-", 1));
  const years = String(year > 0 ? year : 1 - year).padStart(4, "0");
  return `${years}${rest}${year > 0 ? "" : " BC"}`;
}

/** Tells whether a type is one of dates, or of arrays of them. */
export function holdsDates(type: number): boolean {
  return DATES.has(type);
}

/**
 * Refuses a value that an instance has read as an invalid `Date`, which would pass for none wherever it is shown.
 *
 * @throws {RangeError} If it is one, or has one.
 */
export function checkDate(value: unknown, what: string): void {
  if (value instanceof Date) {
    if (!Number.isNaN(value.getTime())) return;
    throw outOfRange(
      `Cannot read ${what}: the instance of "postgres" reads a date of it (infinity, or before Christ) as an invalid ` +
        "Date; make it with types: { dates: postgresDates }, of holdfast/postgres, or a type of your own",
    );
  }
  if (Array.isArray(value)) { for (const one of value) checkDate(one, what); }
}

/** Refuses rows with such a value. */
export function checkDates(rows: readonly unknown[], what: string): void {
  for (const row of rows) {
    if (typeof row !== "object" || row === null) continue;
    for (const property in row) checkDate((row as Record<string, unknown>)[property], what);
  }
}
