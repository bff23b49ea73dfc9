// Reads what the benchmarks have written: pages of Markdown in bench/results.

/** What a cell says, without marks. */
function plain(cell) {
  return cell.trim().replace(/\*\*|`/g, "").replace(/\\\*/g, "");
}

/** The cells of a line of a table. */
function cells(line) {
  return line.trim().replace(/^\||\|$/g, "").split("|");
}

/**
 * Reads a page.
 *
 * @param {string} text
 * @returns {{ title: string, circumstances: string, promises: string[], tables: { section: string,
 *   head: string[], rows: string[][] }[] }} `circumstances` is the first paragraph; `section` is the
 *   heading a table stands under.
 */
export function readPage(text) {
  const page = { title: "", circumstances: "", promises: [], tables: [] };
  let section = "";
  let table;
  for (const line of text.split("\n")) {
    const heading = /^(#+) (.*)$/.exec(line);
    if (heading !== null) {
      section = heading[2];
      page.title ||= section;
    }
    if (!line.startsWith("|")) table = undefined;
    else if (table === undefined) {
      table = { section, head: cells(line).map(plain), rows: [] };
      page.tables.push(table);
    } else if (!/^[|:\s-]+$/.test(line)) table.rows.push(cells(line).map(plain));
    else continue;
    if (table !== undefined || heading !== null || line.trim() === "") continue;
    if (section === page.title) page.circumstances ||= line;
    if (section === "What was promised" && line.startsWith("- ")) page.promises.push(line.slice(2));
  }
  return page;
}

/**
 * Reads a number as the pages write it: `12,300`, `0.42`.
 *
 * @returns {number | undefined} `undefined` if there is none.
 */
export function numberIn(cell) {
  const match = /^-?[\d,]+(?:\.\d+)?$/.exec(cell ?? "");
  return match === null ? undefined : Number(match[0].replaceAll(",", ""));
}
