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
  const { table, load, where, orderBy, limit, with: nested, uses } = options;
  const wrong = (why: string): TypeError =>
    new TypeError(`Cannot watch "${String(table)}": ${why}`);
  if (limit !== undefined && !(Number.isSafeInteger(limit) && (limit as number) > 0)) {
    throw new RangeError(
      `Cannot watch "${String(table)}": its limit is not a whole number above 0`,
    );
  }
  if (load !== undefined && typeof load !== "function") throw wrong("its load is no function");
  if (where !== undefined && where !== true && typeof where !== "function") {
    throw wrong("its where is neither true nor a function");
  }
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
