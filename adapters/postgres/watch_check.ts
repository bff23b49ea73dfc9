import type { NestedOptions, WatchOptions } from "../../src/sync/watch.ts";
import {
  checkKnown,
  kindOf,
  type OptionNames,
  outOfRange,
  shown,
  wrongArgument,
} from "../../src/core/options.ts";

const optionNames: OptionNames<WatchOptions<unknown, unknown> & { readonly key: unknown }> = {
  table: "a string",
  key: true,
  load: true,
  where: true,
  orderBy: true,
  limit: true,
  one: "a boolean",
  with: "an object",
  uses: "an array",
  onChange: "a function",
};

const nestedNames: OptionNames<NestedOptions> = {
  table: "a string",
  by: "a string",
  many: "a boolean",
  where: true,
  orderBy: true,
  with: "an object",
};

/** What of the options of a watch is looked at. */
interface Options {
  readonly table: unknown;
  readonly load?: unknown;
  readonly where?: unknown;
  readonly orderBy?: unknown;
  readonly limit?: unknown;
  readonly with?: unknown;
  readonly uses?: unknown;
}

/**
 * Checks the options of a watch for what makes no sense whatever the tables are.
 *
 * @throws {TypeError} If something does not.
 * @throws {RangeError} If the limit is not a whole number above 0.
 */
export function checkWatch(options: Options): void {
  const given: unknown = options;
  const named = typeof given === "object" && given !== null ? (given as Options).table : undefined;
  checkKnown(given, optionNames, named === undefined ? "watch" : `watch ${shown(named)}`);
  const { table, load, where, orderBy, limit, with: nested, uses } = options;
  const wrong = (why: string): TypeError =>
    wrongArgument(`Cannot watch "${String(table)}": ${why}`);
  if (limit !== undefined && !(Number.isSafeInteger(limit) && (limit as number) > 0)) {
    throw outOfRange(
      `Cannot watch "${String(table)}": its limit is not a whole number above 0`,
    );
  }
  if (load !== undefined && typeof load !== "function") throw wrong("its load is no function");
  if (where !== undefined && where !== true && typeof where !== "function") {
    throw wrong("its where is neither true nor a function");
  }
  checkOrder(orderBy, wrong);
  checkNested(nested, String(table));
  if (load === undefined && uses !== undefined) {
    throw wrong("it uses other tables, so it needs a load of its own");
  }
  if (load === undefined && limit !== undefined) {
    const columns = typeof orderBy === "string" || Array.isArray(orderBy);
    if (!columns) throw wrong("with a limit it needs columns to order by, or a load of its own");
    if (typeof where === "function" || nested !== undefined) {
      throw wrong("with a limit, and where or with, it needs a load of its own");
    }
  }
}

function checkOrder(orderBy: unknown, wrong: (why: string) => TypeError): void {
  if (orderBy === undefined || typeof orderBy === "string" || typeof orderBy === "function") return;
  if (Array.isArray(orderBy) && orderBy.every((one) => typeof one === "string")) return;
  throw wrong(`its orderBy is ${kindOf(orderBy)}, not columns or a function`);
}

function checkNested(nested: unknown, table: string, path = "with"): void {
  for (const [property, one] of Object.entries(nested ?? {})) {
    const at = `${path}.${property}`;
    checkKnown(one, nestedNames, `watch "${table}"`, at);
    checkNested(one.with, table, `${at}.with`);
  }
}
