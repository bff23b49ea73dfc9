const identifier = /^[A-Za-z_$][\w$]*$/;
const maxKeyLength = 64;

function formatSegment(segment: PropertyKey, first: boolean): string {
  if (typeof segment === "number") return `[${segment}]`;
  if (typeof segment === "symbol") return "[symbol]";
  // A key can be as long as a record; a path is for people to read.
  const key = segment.length > maxKeyLength ? `${segment.slice(0, maxKeyLength)}…` : segment;
  if (!identifier.test(key)) return `[${JSON.stringify(key)}]`;
  return first ? key : `.${key}`;
}

/**
 * Writes the place of a value for people: `items[2].price`, `labels["a b"]`.
 *
 * @param segments Keys and indexes from the outside in; `undefined` is skipped.
 * @param root Put in front; empty for none.
 */
export function formatPath(segments: readonly (PropertyKey | undefined)[], root = ""): string {
  let path = root;
  for (const segment of segments) {
    if (segment !== undefined) path += formatSegment(segment, path === "");
  }
  return path;
}
