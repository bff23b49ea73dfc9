// The order in which the pages are read. A page of docs that is in no group comes under "More": name
// it here, with a shorter title where its own is too long for the side of the page.
import { doors } from "../../scripts/docs/api.mjs";
import { addresses, titleOf } from "../../scripts/docs/pages.mjs";

const groups = [
  ["Begin", [
    ["docs/tutorial.md", "Tutorial"],
    ["docs/concepts.md"],
    ["docs/comparison.md"],
  ]],
  ["What it does", [
    ["docs/stash.md", "Stash"],
    ["docs/objects.md", "Objects"],
    ["docs/documents.md", "Documents"],
    ["docs/live.md", "Live views"],
    ["docs/live-client.md", "Live views: the browser"],
    ["docs/sync.md", "Sync"],
  ]],
  ["Where it runs", [
    ["docs/runtime-bun.md", "Bun"],
    ["docs/runtime-deno.md", "Deno"],
    ["docs/runtime-node.md", "Node"],
    ["docs/workers.md", "Cloudflare Workers"],
    ["docs/deno-deploy.md", "Deno Deploy"],
  ]],
  ["Where it stores", [
    ["docs/storage-sqlite.md", "SQLite"],
    ["docs/storage-postgres.md", "Postgres"],
    ["docs/storage-s3.md", "S3 and the like"],
    ["docs/storage-nats.md", "NATS"],
    ["docs/storage-denokv.md", "Deno KV"],
    ["docs/storage-file.md", "Files"],
    ["docs/storage-memory.md", "Memory"],
  ]],
  ["In production", [
    ["docs/operations.md"],
    ["docs/capacity.md", "Capacity"],
    ["docs/security.md"],
    ["docs/cluster.md"],
    ["docs/telemetry.md"],
    ["docs/inspector.md"],
    ["docs/cli.md"],
    ["docs/errors.md"],
  ]],
  ["Working with it", [["docs/testing.md"]]],
  ["More", []],
  ["About", [
    ["bench/results", "What was measured"],
    ["docs/sizes.md", "What each subpath weighs"],
    ["SPEC.md", "Every promise"],
    ["docs/clean-machine.md"],
    ["docs/releases.md"],
    ["CHANGELOG.md"],
    ["SECURITY.md", "Reporting a problem"],
    ["CONTRIBUTING.md"],
  ]],
];

const named = new Set(groups.flatMap(([, pages]) => pages.map(([source]) => source)));
const rest = [...addresses.keys()]
  .filter((source) => source.startsWith("docs/") && source !== "docs/index.md")
  .filter((source) => !named.has(source))
  .map((source) => [source]);

const reference = {
  text: "Reference",
  link: "/api/",
  collapsed: true,
  items: doors.map(({ page, title }) => ({ text: title, link: `/api/${page}` })),
};

/** The groups as VitePress takes them. A page that is not there (yet) is left out. */
export const sidebar = [
  ...groups.map(([text, pages]) => ({
    text,
    items: (text === "More" ? rest : pages)
      .filter(([source]) => addresses.has(source))
      .map(([source, title]) => ({
        text: title ?? titleOf(source),
        link: `/${addresses.get(source).replace(/(?:index)?\.md$/, "")}`,
      })),
  })).filter(({ items }) => items.length > 0),
  reference,
];
