import { html, type Markup } from "./markup.ts";

const [width, height] = [240, 56];

/** A line over time. */
export interface Line {
  /** What it is, for the legend. */
  readonly name: string;
  /** Oldest first; `undefined` where nothing was measured. */
  readonly points: readonly (number | undefined)[];
}

/** What a chart shows. */
export interface Chart {
  readonly title: string;
  /** What the numbers are: `/s`, `ms`. */
  readonly unit: string;
  /** One or two. */
  readonly lines: readonly Line[];
}

/** Draws a chart: the numbers of now and of the peak in words, the lines as a picture. */
export function chart({ title, unit, lines }: Chart): Markup {
  const known = lines.flatMap(({ points }) => points).filter((point) => point !== undefined);
  const peak = Math.max(0, ...known);
  const legend = lines.map(({ name, points }, i) =>
    html`<span class="line${i}">${name} <b>${numeral(points.at(-1))}</b> ${
      i === lines.length - 1 ? unit : ""
    }</span>`
  );
  const said = lines.map(({ name, points }) =>
    `${lines.length > 1 ? `${name} ` : ""}${numeral(points.at(-1))} ${unit}`
  ).join(", ");
  return html`
    <figure class="chart">
      <figcaption><span class="title">${title}</span> <span class="now">${legend}</span></figcaption>
      <svg viewBox="0 0 ${width} ${height}" preserveAspectRatio="none" role="img"
        aria-label="${title}: now ${said}; at most ${numeral(peak)} ${unit} in this time">
          ${lines.map(({ points }, i) => shape(points, peak, i))}
        </svg>
      <p class="peak">at most ${numeral(peak)} ${unit}</p>
    </figure>
  `;
}

/** One line, in pieces where nothing was measured between. */
function shape(points: readonly (number | undefined)[], peak: number, index: number): Markup {
  const step = width / Math.max(1, points.length - 1);
  const runs: string[][] = [];
  let run: string[] | undefined;
  for (const [i, point] of points.entries()) {
    if (point === undefined) {
      run = undefined;
      continue;
    }
    const y = height - 2 - (peak === 0 ? 0 : point / peak * (height - 6));
    if (run === undefined) runs.push(run = []);
    run.push(`${round(i * step)},${round(y)}`);
  }
  return html`${
    runs.map((line) => {
      const [from, to] = [line[0]?.split(",")[0], line.at(-1)?.split(",")[0]];
      const area = `${from},${height} ${line.join(" ")} ${to},${height}`;
      return html`
        ${index === 0
          ? html`
            <polygon class="area" points="${area}" />
          `
          : undefined}<polyline class="line${index}" points="${line.join(" ")}" />
      `;
    })
  }`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** A number as short as it can be read. */
export function numeral(value: number | undefined): string {
  if (value === undefined) return "–";
  if (value >= 10_000) return `${(value / 1000).toFixed(value >= 100_000 ? 0 : 1)}k`;
  if (value >= 100 || Number.isInteger(value)) return String(Math.round(value));
  return value.toFixed(value >= 10 ? 1 : 2);
}
