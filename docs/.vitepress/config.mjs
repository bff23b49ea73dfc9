import { built, made, staged } from "../../scripts/docs/pages.mjs";
import { idOf, siteLinks } from "../../scripts/docs/links.mjs";
import { sidebar } from "./sidebar.mjs";

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
  },
  themeConfig: {
    logo: "/holdfast.svg",
    outline: [2, 3],
    search: { provider: "local" },
    nav: [
      { text: "Tutorial", link: "/tutorial" },
      { text: "Concepts", link: "/concepts" },
      { text: "Operations", link: "/operations" },
      { text: "Changelog", link: "/changelog" },
    ],
    sidebar,
    footer: { message: "MIT licence" },
  },
};
