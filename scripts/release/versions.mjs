// Where the version stands, and which comes after which.

/** A place and how the version is written there, captured; each is there exactly once. */
const places = [
  ["package.json", /^ {2}"version": "([^"]+)",$/m],
  // Twice: of the file, and of the package in it.
  ["package-lock.json", /^ {2}"version": "([^"]+)",$/m],
  ["package-lock.json", /^ {4}"": \{\n {6}"name": "[^"]+",\n {6}"version": "([^"]+)",$/m],
  ["deno.json", /^ {2}"version": "([^"]+)",$/m],
  // What `holdfast init` asks for.
  ["adapters/cli/scaffold.ts", /^export const VERSION = "\^([^"]+)";$/m],
];

/**
 * Reads the version wherever it stands.
 *
 * @param {(path: string) => string} read
 * @returns {{ path: string, version: string }[]}
 */
export function versionsIn(read) {
  return places.map(([path, pattern]) => ({
    path,
    version: pattern.exec(read(path))?.[1] ?? "none",
  }));
}

/**
 * Writes a version wherever one stands.
 *
 * @param {(path: string) => string} read
 * @param {string} version
 * @returns {Record<string, string>} The texts by path.
 */
export function withVersion(read, version) {
  const texts = {};
  for (const [path, pattern] of places) {
    const text = texts[path] ?? read(path);
    texts[path] = text.replace(
      pattern,
      (line, old) => line.replace(`${old}"`, () => `${version}"`),
    );
  }
  return texts;
}

/** Of a version: its three numbers, and what makes it one before a release. */
function parse(version) {
  const match = /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-([a-z]+)\.(\d+))?$/.exec(version);
  if (match === null) return undefined;
  const numbers = match.slice(1, 4).map(Number);
  return { numbers, label: match[4], count: Number(match[5]) };
}

/** Negative if `a` comes before `b`. */
function compare(a, b) {
  for (const i of [0, 1, 2]) if (a.numbers[i] !== b.numbers[i]) return a.numbers[i] - b.numbers[i];
  if (a.label === b.label) return a.label === undefined ? 0 : a.count - b.count;
  if (a.label === undefined) return 1;
  if (b.label === undefined) return -1;
  return a.label < b.label ? -1 : 1;
}

/**
 * Which version is meant.
 *
 * @param {string} wish `major`, `minor`, `patch`, or a version such as `1.2.3` or `1.0.0-rc.1`.
 * @param {string} from The one before.
 * @param {boolean} taken Whether that is released.
 * @returns {string | undefined} `undefined` if it would not come after it.
 */
export function versionOf(wish, from, taken) {
  const before = parse(from);
  if (before === undefined) return undefined;
  const index = ["major", "minor", "patch"].indexOf(wish);
  if (index === -1) {
    const after = parse(wish);
    if (after === undefined) return undefined;
    const order = compare(after, before);
    return order > 0 || (order === 0 && !taken) ? wish : undefined;
  }
  // What leads up to a version is followed by that version.
  const { numbers, label } = before;
  if (label !== undefined && numbers.slice(index + 1).every((n) => n === 0)) {
    return numbers.join(".");
  }
  return numbers.map((n, i) => i < index ? n : i === index ? n + 1 : 0).join(".");
}

/**
 * Tells whether a version may have what is in it: what breaks users needs a new major, before 1.0.0 a
 * new minor.
 *
 * @param {string} from
 * @param {string} version
 * @param {boolean} breaking
 */
export function atLeastNext(from, version, breaking) {
  if (!breaking) return true;
  const [before, after] = [parse(from).numbers, parse(version).numbers];
  if (parse(from).label !== undefined) return true;
  return after[0] > before[0] || (before[0] === 0 && after[1] > before[1]);
}
