// The changelog, whose first section is what is not released yet.

/** Where it is. */
export const CHANGELOG = "CHANGELOG.md";

const unreleased = "## [Unreleased]\n";

/** The text below a heading, to the next one of its level; `undefined` if there is no such heading. */
function below(text, heading) {
  const at = text.indexOf(heading);
  if (at === -1) return undefined;
  const begin = text.indexOf("\n", at + 1) + 1;
  const next = text.indexOf("\n## ", begin - 1);
  return text.slice(begin, next === -1 ? text.length : next + 1);
}

/**
 * What the changelog says of a version.
 *
 * @param {string} text
 * @param {string} version
 * @returns {string | undefined} `undefined` if it says nothing.
 */
export function notesOf(text, version) {
  return below(text, `\n## [${version}]`)?.trim() || undefined;
}

/**
 * Moves what is not released yet to a version of a day.
 *
 * @param {string} text
 * @param {string} version
 * @param {string} date As `2026-11-27`.
 * @returns {{ text: string, breaking: boolean } | { reason: string }}
 */
export function released(text, version, date) {
  const notes = below(text, `\n${unreleased}`)?.trim();
  if (notes === undefined) return { reason: `${CHANGELOG} has no section "Unreleased"` };
  if (notes === "") return { reason: `${CHANGELOG} has nothing under "Unreleased"` };
  if (!/^\d{4}-\d\d-\d\d$/.test(date)) return { reason: `"${date}" is no day` };
  return {
    text: text.replace(unreleased, () => `${unreleased}\n## [${version}] - ${date}\n`),
    breaking: /^### Removed$|\*\*Breaking\b/m.test(notes),
  };
}
