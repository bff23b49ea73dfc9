// npm run docs: the site, in .site/html; every link and anchor of it is looked at.
//
//   npm run docs -- --serve [--port=5173]   and shows it, on this machine only
//   npm run docs -- --base=/holdfast/       for a host where it is below a path
//   npm run docs -- --check                 sooner, and not for readers: code has no colours
import { join } from "node:path";
import { parseArgs } from "node:util";
import { root } from "./lib/runtimes.mjs";
import { makeReference } from "./docs/api.mjs";
import { installTools, loadTool } from "./docs/install.mjs";
import { checkLinks } from "./docs/links.mjs";
import { stage } from "./docs/pages.mjs";
import { serveSite } from "./docs/serve.mjs";

const { values } = parseArgs({
  options: {
    serve: { type: "boolean", default: false },
    port: { type: "string", default: "5173" },
    base: { type: "string", default: "/" },
    // Read where it matters, in docs/.vitepress/config.mjs.
    check: { type: "boolean", default: false },
  },
});
const { base } = values;

async function make() {
  if (!installTools()) throw new Error("Cannot install what makes the site: see above");
  const { build } = await loadTool("vitepress");
  stage();
  await makeReference();
  await build(join(root, "docs"), { base });
  const { links, pages, problems } = checkLinks(base);
  for (const problem of problems) console.error(problem);
  console.log(`${pages} pages, ${links} links, ${problems.length} problems`);
  if (problems.length > 0 || links === 0) throw new Error("Cannot publish such a site");
}

try {
  await make();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
if (values.serve) console.log(`On ${await serveSite({ port: Number(values.port), base })}`);
