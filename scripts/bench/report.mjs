// bench/results.md and its charts, from the pages that the benchmarks have written. Nothing is measured
// here, and the same pages make the same files.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pages } from "./charts.mjs";
import { readPage } from "./pages.mjs";
import { draw } from "./svg.mjs";

const ratio = (value) => value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0);

/** How often a figure is the first of ours. */
function timesOurs({ value }, bars) {
  const first = bars.find(({ ours }) => ours);
  return first === undefined ? [] : [ratio(value / first.value)];
}

/** Panels with the same rows as one table: each figure, and how often it is the first of ours, if one is. */
function tableOf(panels) {
  const head = [
    "median",
    ...panels.flatMap(({ title, bars }) => [
      title,
      ...bars.some(({ ours }) => ours) ? ["×"] : [],
    ]),
  ];
  const rows = panels[0].bars.map(({ label, ours }, i) => [
    ours ? `**${label}**` : label,
    ...panels.flatMap(({ bars }) => [bars[i].text, ...timesOurs(bars[i], bars)]),
  ]);
  const widths = head.map((title, i) =>
    Math.max(2, title.length, ...rows.map((row) => row[i].length))
  );
  const line = (cells) => {
    const padded = cells.map((cell, i) =>
      i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])
    );
    return `| ${padded.join(" | ")} |`;
  };
  const rule = widths.map((width, i) => i === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`);
  return [line(head), `| ${rule.join(" | ")} |`, ...rows.map(line)].join("\n");
}

/** Panels whose rows are the same, together, as many as fit. */
function alike(panels, most) {
  const groups = [];
  const rowsOf = ({ bars }) => bars.map(({ label }) => label).join("\n");
  for (const panel of panels) {
    const last = groups.at(-1);
    const fits = last !== undefined && last.length < most && rowsOf(last[0]) === rowsOf(panel);
    if (fits) last.push(panel);
    else groups.push([panel]);
  }
  return groups;
}

function promisesOf(promises) {
  if (promises.length === 0) return [];
  const missed = promises.filter((line) => /, missed(?: \(.*\))?$/.test(line));
  const kept = promises.length - missed.length;
  const head = `Of what we aim at, ${kept} of ${promises.length} kept${
    missed.length === 0 ? "." : "; missed:"
  }`;
  return [head, ...missed.length === 0 ? [] : [missed.map((line) => `- ${line}`).join("\n")]];
}

/** When, where and with what: up to the end of the sentence that names the versions. */
function noteOf(circumstances) {
  return `${circumstances.split(/\. |; npm run/)[0]}.`.replaceAll("\\", "");
}

/** What a page becomes: its part of the report, and its charts by name. */
function partOf(name, text) {
  const page = readPage(text);
  const charts = {};
  const parts = [`## ${page.title}`, `> ${page.circumstances}`];
  for (const chart of pages[name]) {
    const panels = chart.panels(page).filter(({ bars }) => bars.length > 0);
    if (panels.length === 0) {
      throw new Error(`bench/results/${name}.md has no figures for "${chart.title}"`);
    }
    charts[`${chart.file}.svg`] = draw(chart, panels, noteOf(page.circumstances));
    parts.push(
      `![${chart.title}](results/${chart.file}.svg)`,
      ...alike(panels, chart.columns ?? 4).map(tableOf),
    );
  }
  parts.push(...promisesOf(page.promises), `[All figures](results/${name}.md)`);
  return { parts, charts };
}

/**
 * Makes the report.
 *
 * @param {string} folder `bench` of a checkout.
 * @returns {Record<string, string>} The files, by their path in the folder.
 */
export function reportOf(folder) {
  const files = {};
  const parts = [
    "<!-- Written by `npm run bench -- --report`, from the pages in results; do not edit. -->",
    "# What was measured",
    'Medians, from runs whose machine, versions and day stand with each. "×" is the ratio to the first of ours; what ' +
    "else was measured, and how, is in the page behind each part. `npm run bench` measures everything anew, " +
    "`npm run bench -- NAME` one of them.",
  ];
  for (const name of Object.keys(pages)) {
    const path = join(folder, "results", `${name}.md`);
    if (!existsSync(path)) continue;
    const part = partOf(name, readFileSync(path, "utf8"));
    parts.push(...part.parts);
    for (const [file, svg] of Object.entries(part.charts)) files[`results/${file}`] = svg;
  }
  files["results.md"] = `${parts.join("\n\n")}\n`;
  return files;
}

/** Makes the report and writes what is not there yet or other than it was. */
export function writeReport(folder) {
  const written = Object.entries(reportOf(folder)).filter(([path, text]) => {
    const target = join(folder, path);
    if (existsSync(target) && readFileSync(target, "utf8") === text) return false;
    writeFileSync(target, text);
    return true;
  });
  for (const [path] of written) console.log(`wrote bench/${path}`);
}
