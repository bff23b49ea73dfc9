/**
 * A table of Markdown as the formatter leaves it: texts to the left, numbers to the right.
 *
 * @param {string[]} head
 * @param {string[][]} rows
 * @param {string[]} texts The titles of the columns in which texts stand.
 */
export function table(head, rows, texts) {
  const isText = head.map((title) => texts.includes(title));
  const widths = head.map((title, i) =>
    Math.max(isText[i] ? 3 : 4, title.length, ...rows.map((row) => row[i].length))
  );
  const line = (cells) =>
    `| ${
      cells.map((cell, i) => isText[i] ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))
        .join(" | ")
    } |`;
  const rule = widths.map((width, i) =>
    isText[i] ? "-".repeat(width) : `${"-".repeat(width - 1)}:`
  );
  return [line(head), line(rule), ...rows.map(line)].join("\n");
}
