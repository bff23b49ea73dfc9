// Draws bars. The same figures make the same text.

const width = 760;
const left = 300;
const right = 90;
const row = 20;
const gap = 34;

/** Light and dark pages; an image has no other way to know. */
const style = `text{font:12px system-ui,sans-serif;fill:#1f2328}
.title{font-size:14px;font-weight:600}.panel{font-weight:600}.note{fill:#59636e;font-size:11px}
.page{fill:#ffffff}.ours{fill:#0a7d5a}.other{fill:#a9b4bf}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.note{fill:#9198a1}.page{fill:#0d1117}.ours{fill:#2fbf8f}.other{fill:#4b5560}}`;

const escape = (text) =>
  text.replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);

/** Where a figure ends, 0 to 1. */
function scale(values, log) {
  const most = Math.max(...values);
  if (!log) return (value) => value / most;
  // A decade below the least, so that it too has a bar.
  const least = Math.log10(Math.min(...values)) - 0.5;
  return (value) => (Math.log10(value) - least) / (Math.log10(most) - least);
}

function drawBar({ label, value, text, ours }, y, end) {
  const long = Math.max(1, Math.round(end(value) * (width - left - right)));
  return [
    `<text x="${left - 8}" y="${y + 14}" text-anchor="end">${escape(label)}</text>`,
    `<rect class="${ours ? "ours" : "other"}" x="${left}" y="${
      y + 3
    }" width="${long}" height="14" rx="2"/>`,
    `<text x="${left + long + 6}" y="${y + 14}">${escape(text)}</text>`,
  ];
}

/**
 * Draws a chart.
 *
 * @param {{ title: string, together: boolean, log?: boolean }} chart
 * @param {{ title: string, bars: { label: string, value: number, text: string, ours: boolean }[] }[]} panels
 * @param {string} note What stands below.
 * @returns {string} The SVG.
 */
export function draw({ title, together, log = false }, panels, note) {
  const everything = panels.flatMap(({ bars }) => bars.map(({ value }) => value));
  const parts = [`<text class="title" x="12" y="24">${escape(title)}</text>`];
  let y = 34;
  for (const panel of panels) {
    parts.push(`<text class="panel" x="12" y="${y + 18}">${escape(panel.title)}</text>`);
    y += 26;
    const values = together ? everything : panel.bars.map(({ value }) => value);
    const end = scale(values, log);
    for (const bar of panel.bars) {
      parts.push(...drawBar(bar, y, end));
      y += row;
    }
    y += gap - 26;
  }
  const below = log ? `${note} The scale is logarithmic.` : note;
  parts.push(`<text class="note" x="12" y="${y + 16}">${escape(below)}</text>`);
  const height = y + 28;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">`,
    `<title>${escape(title)}</title>`,
    `<style>${style}</style>`,
    `<rect class="page" width="${width}" height="${height}" rx="6"/>`,
    ...parts,
    "</svg>\n",
  ].join("\n");
}
