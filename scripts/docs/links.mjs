// Links of the pages: where they lead on the site, and whether they lead anywhere.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { root } from "../lib/runtimes.mjs";
import { addresses, built, sources } from "./pages.mjs";

const { repository } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

/** Where the repository can be looked at, if the manifest says so. */
const browsed = (repository?.url ?? repository)?.replace(/^git\+/, "").replace(/\.git$/, "");

/**
 * Where a link of a page leads on the site.
 *
 * @param {string} page The address of the page: `operations.md`.
 * @param {string} href As it is written in the file.
 * @returns {string | undefined} `undefined` for a file that is not on the site, while the manifest
 *   names no repository: its path is shown, and no link.
 */
export function leadsTo(page, href) {
  const source = sources.get(page);
  if (source === undefined || /^(?:[a-z]+:|#|\/)/.test(href)) return href;
  const [path, anchor] = href.split("#");
  const target = posix.normalize(posix.join(posix.dirname(source), path)).replace(/\/$/, "");
  const address = addresses.get(target);
  if (address !== undefined) {
    const relative = posix.relative(posix.dirname(page), address);
    return `${relative.startsWith(".") ? "" : "./"}${relative}${anchor ? `#${anchor}` : ""}`;
  }
  // What is nowhere stays as it is, and fails the build as a dead link.
  if (!existsSync(join(root, target)) || /\.(?:png|svg)$/.test(target)) return href;
  return browsed && `${browsed}/tree/HEAD/${target}`;
}

/** The id GitHub gives a heading, so that a link to one works there and here. */
export function idOf(heading) {
  return heading.trim().toLowerCase().replace(/[^\p{L}\p{M}\p{N}\p{Pc}\- ]/gu, "")
    .replaceAll(" ", "-");
}

/** The one HTML there is: the targets that TypeDoc puts into tables. */
function target(state, silent) {
  const [all] = /^<a id="[\w-]+"><\/a>/.exec(state.src.slice(state.pos, state.pos + 200)) ?? [];
  if (all === undefined) return false;
  if (!silent) state.push("html_inline", "", 0).content = all;
  state.pos += all.length;
  return true;
}

/** Makes links of the files lead somewhere on the site: a plugin of markdown-it. */
export function siteLinks(md) {
  md.inline.ruler.before("link", "target", target);
  md.core.ruler.push("site_links", ({ tokens, env }) => {
    for (const { children } of tokens) {
      let dropped = false;
      for (const token of children ?? []) {
        if (token.type === "link_open") {
          const href = leadsTo(env.relativePath, token.attrGet("href"));
          dropped = href === undefined;
          if (!dropped) token.attrSet("href", href);
        }
        if (dropped && /^link_/.test(token.type)) Object.assign(token, { tag: "span", attrs: [] });
        if (token.type === "link_close") dropped = false;
      }
    }
  });
  // Vue reads what is between two braces, also in prose.
  const text = md.renderer.rules.text;
  md.renderer.rules.text = (...args) => text(...args).replaceAll("{{", "&#123;&#123;");
}

function pagesBelow(folder) {
  return readdirSync(folder, { recursive: true }).map((name) => name.replaceAll("\\", "/"))
    .filter((name) => name.endsWith(".html"));
}

const attribute = (name) => new RegExp(`\\s${name}="([^"]*)"`, "g");

/** The address of a page without what may be left out of it. */
function plain(path) {
  return path.replace(/(^|\/)$/, "$1index.html");
}

/**
 * Looks at every link of the built site.
 *
 * @param {string} base What all addresses begin with.
 * @returns {{ links: number, pages: number, problems: string[] }} What leads nowhere, and what would
 *   be fetched from elsewhere.
 */
export function checkLinks(base) {
  const pages = new Map(
    pagesBelow(built).map((path) => {
      const html = readFileSync(join(built, path), "utf8");
      return [path, {
        html,
        ids: new Set(Array.from(html.matchAll(attribute("id")), (m) => m[1])),
      }];
    }),
  );
  const problems = [];
  let links = 0;
  for (const [page, { html, ids }] of pages) {
    for (
      const [, , foreign] of html.matchAll(/<(?:script|link|img)\b[^>]*\s(src|href)="(\w+:[^"]*)"/g)
    ) {
      if (!foreign.startsWith("data:")) problems.push(`${page}: would fetch ${foreign}`);
    }
    for (const [, written] of html.matchAll(attribute("href"))) {
      if (/^\w+:/.test(written)) continue;
      links++;
      const [path, anchor] = decodeURIComponent(written).split("#");
      const absolute = path.startsWith(base)
        ? path.slice(base.length)
        : posix.join(dirname(page), path);
      const there = path === "" ? { ids } : pages.get(plain(absolute));
      if (
        there === undefined ? !existsSync(join(built, absolute)) : anchor && !there.ids.has(anchor)
      ) {
        problems.push(`${page}: nothing is at ${written}`);
      }
    }
  }
  return { links, pages: pages.size, problems };
}
