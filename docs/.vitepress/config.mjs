import { built, made, staged } from "../../scripts/docs/pages.mjs";
import { idOf, siteLinks } from "../../scripts/docs/links.mjs";
import { sidebar } from "./sidebar.mjs";

/** `npm run docs -- --check` looks at links only: no colours in code, and larger files. */
const checks = process.argv.includes("--check");

function highlightNothing(code) {
  return `<pre><code>${code.replaceAll("&", "&amp;").replaceAll("<", "&lt;")}</code></pre>`;
}

/** The words of a page, for the search. */
function renderWords(source, env, md) {
  const { highlight } = md.options;
  md.options.highlight = highlightNothing;
  try {
    return md.render(source, env);
  } finally {
    md.options.highlight = highlight;
  }
}

/** Read by VitePress; `npm run docs` has put the pages into `srcDir` before. */
export default {
  title: "Holdfast",
  description:
    "Server state that survives navigation, crashes and deploys, and dies with the session",
  lang: "en",
  srcDir: staged,
  outDir: built,
  cacheDir: `${made}/cache`,
  transformHead: ({ siteConfig }) => {
    const href = `${siteConfig.site.base}holdfast.svg`;
    return [["link", { rel: "icon", type: "image/svg+xml", href }]];
  },
  markdown: {
    html: false,
    linkify: false,
    anchor: { slugify: idOf },
    theme: { light: "github-light-high-contrast", dark: "github-dark" },
    config: siteLinks,
    ...(checks && { highlight: highlightNothing }),
  },
  vite: {
    build: { minify: !checks, rollupOptions: { treeshake: !checks }, chunkSizeWarningLimit: 1_000 },
  },
  themeConfig: {
    logo: "/holdfast.svg",
    outline: [2, 3],
    search: { provider: "local", options: { _render: renderWords } },
    nav: [
      { text: "Tutorial", link: "/tutorial" },
      { text: "Concepts", link: "/concepts" },
      { text: "Operations", link: "/operations" },
      { text: "Reference", link: "/api/" },
      { text: "Changelog", link: "/changelog" },
    ],
    sidebar,
    footer: { message: "MIT licence" },
  },
};
