// npm run capacity: which storage and which cluster when, and what they cost, into docs/capacity.md.
//
//   npm run capacity -- --check           only compares the page with what it would be
//   npm run capacity -- --json            prints what the page is made of
//   npm run capacity -- activeShare=0.05  prints the page for other assumptions
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readMeasured } from "./capacity/measured.mjs";
import { assumptions, behaviour, partition, prices, workOut } from "./capacity/model.mjs";
import { pageOf, sizes } from "./capacity/page.mjs";
import { root } from "./lib/runtimes.mjs";

const path = join(root, "docs", "capacity.md");

function fail(message) {
  console.error(message);
  process.exit(1);
}

/** What `name=number` says, over what is assumed. */
function assumed(words) {
  const given = { ...assumptions };
  for (const word of words) {
    const [name, text] = word.split("=");
    const value = Number(text);
    if (!Object.hasOwn(given, name) || text === "" || !(value > 0 && value < Infinity)) {
      fail(`Cannot assume ${word}: give a number above 0 for ${Object.keys(given).join(", ")}`);
    }
    given[name] = value;
  }
  return given;
}

const words = process.argv.slice(2);
const options = words.filter((word) => word.startsWith("--"));
const unknown = options.find((option) => !["--check", "--json"].includes(option));
if (unknown !== undefined) fail(`Cannot use ${unknown}: there are --check and --json`);
const given = assumed(words.filter((word) => !word.startsWith("--")));
const measured = readMeasured();
const columns = sizes.map(([sessions]) => workOut(sessions, measured, given));
if (options.includes("--json")) {
  console.log(JSON.stringify({ given, behaviour, prices, partition, measured, columns }, null, 2));
} else {
  const page = pageOf(columns, measured, given);
  if (options.includes("--check")) {
    if (readFileSync(path, "utf8") !== page) {
      fail("docs/capacity.md is not what its assumptions make: run npm run capacity");
    }
  } else if (words.length > 0) console.log(page);
  else writeFileSync(path, page);
}
