// npm run release -- VERSION|major|minor|patch: makes a release of what is committed: moves what the
// changelog has under "Unreleased" to the version, writes the version wherever it stands, commits and
// tags. It pushes nothing; the tag, when it is pushed, publishes (.github/workflows/release.yml).
//
//   --dry-run           says what would be done, and does nothing
//   --notes=TAG         prints what the changelog has for a tag
//   --verify=TAG        fails unless the tag is the version that stands everywhere
//   --date=YYYY-MM-DD   another day than today
//   --in=FOLDER         another checkout than this one
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { root } from "./lib/runtimes.mjs";
import { CHANGELOG, notesOf, released } from "./release/changelog.mjs";
import { atLeastNext, versionOf, versionsIn, withVersion } from "./release/versions.mjs";

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    "dry-run": { type: "boolean", default: false },
    notes: { type: "string" },
    verify: { type: "string" },
    date: { type: "string", default: new Date().toISOString().slice(0, 10) },
    in: { type: "string", default: root },
  },
});

function refuse(reason) {
  console.error(`Cannot release: ${reason}`);
  process.exit(1);
}

const read = (path) => readFileSync(join(options.in, path), "utf8");

function git(...args) {
  const { status, stdout, stderr } = spawnSync("git", args, { cwd: options.in, encoding: "utf8" });
  if (status !== 0) refuse(`git ${args[0]} says: ${stderr.trim()}`);
  return stdout.trim();
}

/** The version that stands everywhere. */
function current() {
  const found = versionsIn(read);
  const [first] = found;
  const others = found.filter(({ version }) => version !== first.version);
  if (others.length === 0) return first.version;
  const which = others.map(({ path, version }) => `${path} has ${version}`).join(", ");
  return refuse(`${first.path} has ${first.version}, but ${which}`);
}

function verify(tag) {
  const version = current();
  if (tag !== `v${version}`) refuse(`the tag is ${tag}, the version ${version}`);
  if (notesOf(read(CHANGELOG), version) === undefined) {
    refuse(`${CHANGELOG} says nothing of ${version}`);
  }
  console.log(`${tag} is what is here`);
}

function printNotes(tag) {
  const notes = notesOf(read(CHANGELOG), tag.replace(/^v/, ""));
  console.log(notes ?? refuse(`${CHANGELOG} says nothing of ${tag}`));
}

/** What is to be written, by path. */
function plan(version, from) {
  const changelog = released(read(CHANGELOG), version, options.date);
  if ("reason" in changelog) refuse(changelog.reason);
  const first = git("tag", "--list", "v*") === "";
  if (!first && !atLeastNext(from, version, changelog.breaking)) {
    refuse(
      `${CHANGELOG} tells of a breaking change, which ${version} after ${from} does not allow`,
    );
  }
  return { ...withVersion(read, version), [CHANGELOG]: changelog.text };
}

function release(wish) {
  if (git("status", "--porcelain") !== "") {
    refuse("the checkout has changes that are not committed");
  }
  const from = current();
  const tagged = git("tag", "--list", `v${from}`) !== "";
  const version = versionOf(wish, from, tagged);
  if (version === undefined) refuse(`"${wish}" is no version after ${from}`);
  const tag = `v${version}`;
  if (git("tag", "--list", tag) !== "") refuse(`there is a tag ${tag} already`);
  const files = plan(version, from);
  const verb = options["dry-run"] ? "would write" : "wrote";
  for (const [path, text] of Object.entries(files)) {
    if (text === read(path)) continue;
    if (!options["dry-run"]) writeFileSync(join(options.in, path), text);
    console.log(`${verb} ${path}`);
  }
  if (options["dry-run"]) {
    return console.log(`would commit and tag ${tag}:\n\n${notesOf(files[CHANGELOG], version)}`);
  }
  git("add", "--", ...Object.keys(files));
  git("commit", "--message", `Release ${version}`);
  git("tag", "--annotate", tag, "--message", tag);
  console.log(`committed and tagged; what publishes it: git push --atomic origin HEAD ${tag}`);
}

if (options.notes !== undefined) printNotes(options.notes);
else if (options.verify !== undefined) verify(options.verify);
else if (positionals.length === 1) release(positionals[0]);
else refuse("say which version: major, minor, patch, or 1.2.3");
