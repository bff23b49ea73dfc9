/** The four kinds of writes, in the order a statement names them. */
export const KINDS = ["create", "replace", "write", "remove"] as const;

/** One of the four. */
export type Kind = typeof KINDS[number];

/** How many arrays each kind takes: keys and whatever else. */
export const COLUMNS: Readonly<Record<Kind, number>> = {
  create: 3,
  replace: 4,
  write: 3,
  remove: 2,
};

/**
 * Durable is what we promise, so `synchronous_commit` is on for our commits wherever somebody
 * turned it off. It is looked at when a transaction commits, so that it may be set by the very
 * statement; of no row it is not evaluated, but then nothing was written.
 */
const DURABLE = "CASE current_setting('synchronous_commit') " +
  "WHEN 'off' THEN set_config('synchronous_commit', 'on', true) END";

/** The statements for one table. */
export interface Statements {
  readonly read: string;
  readonly etags: string;
  readonly list: string;
  /**
   * One statement that does all writes of the given kinds, each at most once per key, and answers
   * the keys whose condition held. A statement of its own is a transaction of its own.
   */
  write(kinds: readonly Kind[]): string;
}

/** Writes the statements for a table whose name is quoted already. */
export function statementsFor(table: string): Statements {
  const known = new Map<string, string>();
  return {
    read: `SELECT value, etag FROM ${table} WHERE key = $1::text`,
    etags: `SELECT key, etag FROM ${table} WHERE key = ANY (${array(1)})`,
    // DEL is greater than every character of a key.
    list: `SELECT key FROM ${table} WHERE key >= $1::text AND key < $1::text || chr(127) ` +
      "AND key > $2::text ORDER BY key LIMIT $3::text::int",
    write: (kinds) => {
      const name = kinds.join();
      const text = known.get(name) ?? writeStatement(table, kinds);
      known.set(name, text);
      return text;
    },
  };
}

function writeStatement(table: string, kinds: readonly Kind[]): string {
  let parameters = 0;
  const parts = kinds.map((kind) => {
    const arrays = Array.from({ length: COLUMNS[kind] }, () => array(++parameters));
    return `${kind}_ AS (${part(kind, table, `unnest(${arrays.join(", ")})`)})`;
  });
  const done = kinds.map((kind) => `SELECT key FROM ${kind}_`).join(" UNION ALL ");
  return `WITH ${parts.join(", ")} SELECT key, ${DURABLE} AS durable FROM (${done}) AS done`;
}

function part(kind: Kind, table: string, rows: string): string {
  const insert = `INSERT INTO ${table} AS t (key, value, etag) SELECT * FROM ${rows} ` +
    "ON CONFLICT (key) DO";
  switch (kind) {
    case "create":
      return `${insert} NOTHING RETURNING t.key`;
    case "write":
      return `${insert} UPDATE SET value = excluded.value, etag = excluded.etag RETURNING t.key`;
    case "replace":
      return `UPDATE ${table} AS t SET value = w.value, etag = w.etag ` +
        `FROM ${rows} AS w (key, value, etag, expected) ` +
        "WHERE t.key = w.key AND t.etag = w.expected RETURNING t.key";
    case "remove":
      return `DELETE FROM ${table} AS t USING ${rows} AS w (key, expected) ` +
        "WHERE t.key = w.key AND (w.expected IS NULL OR t.etag = w.expected) RETURNING t.key";
  }
}

/**
 * An array is sent as text and taken apart by the server: the driver would have to know the type,
 * which it does not with `fetch_types: false` or behind some poolers.
 */
function array(parameter: number): string {
  return `$${parameter}::text::text[]`;
}

/** Writes an array as Postgres reads it. */
export function arrayLiteral(items: readonly (string | null)[]): string {
  const quoted = items.map((item) =>
    item === null ? "NULL" : `"${item.replace(/[\\"]/g, "\\$&")}"`
  );
  return `{${quoted.join(",")}}`;
}

/** Begins a value that is not stored as it is. */
const ESCAPED = "\x01";

/** Postgres has no text with a NUL in it; such a value is stored escaped, any other as it is. */
export function encodeText(value: string): string {
  if (!value.includes("\0") && !value.startsWith(ESCAPED)) return value;
  return ESCAPED + value.replaceAll("\x01", "\x01\x01").replaceAll("\0", "\x01\x02");
}

/** Reads back what {@linkcode encodeText} wrote. */
export function decodeText(stored: string): string {
  if (!stored.startsWith(ESCAPED)) return stored;
  const parts = stored.slice(1).split("\x01\x01");
  return parts.map((part) => part.replaceAll("\x01\x02", "\0")).join("\x01");
}
