// What npm and JSR would publish, without publishing: warnings are errors.
import { needRuntime, root } from "./lib/runtimes.mjs";
import { capture } from "./lib/run.mjs";

/** What the npm package may contain. */
const allowed = [
  /^dist\/(mod|(src|adapters)\/[\w/-]+)(\.d)?\.(js|ts)$/,
  /^(README\.md|LICENSE|CHANGELOG\.md|package\.json)$/,
];
const required = ["README.md", "LICENSE", "CHANGELOG.md", "package.json", "dist/mod.js"];

/**
 * Where an optional package is imported under a name that JSR shall not resolve: it is the user's to
 * install, or not to.
 */
const optionalImports =
  /adapters\/(client\/auto|nats\/(connect|storage)|node\/serve|otel\/api|postgres\/(connect|sync_sql)|cli\/sync_command|s3\/sdk)\.ts:/;

const env = { NO_COLOR: "1" };
let failed = false;

function fail(what, output = "") {
  failed = true;
  console.error(`${output}\nFAILED ${what}`);
}

async function packedFiles() {
  const args = ["pack", "--dry-run", "--json", "--ignore-scripts"];
  const { code, output } = await capture("npm", args, { cwd: root, env });
  // npm writes its warnings into the same stream.
  const json = output.slice(output.search(/^[[{]/m), output.search(/^[\]}]/m) + 1);
  if (code !== 0 || json === "") return fail("npm pack --dry-run", output) ?? [];
  const packs = JSON.parse(json);
  return (Array.isArray(packs) ? packs : Object.values(packs))[0].files.map(({ path }) => path);
}

async function checkNpm() {
  const files = await packedFiles();
  const strange = files.filter((file) => !allowed.some((pattern) => pattern.test(file)));
  if (strange.length > 0) fail(`npm would publish ${strange.join(", ")}`);
  const missing = required.filter((file) => !files.includes(file));
  if (missing.length > 0) fail(`npm would not publish ${missing.join(", ")}`);
  const publint = ["node_modules/publint/src/cli.js", "--strict"];
  const { code, output } = await capture(process.execPath, publint, { cwd: root, env });
  if (code !== 0) fail("publint --strict", output);
  console.log(`npm: ${files.length} files`);
}

async function checkJsr() {
  const { path } = needRuntime("deno");
  const args = ["publish", "--dry-run", "--allow-dirty"];
  const { code, output } = await capture(path, args, { cwd: root, env });
  const findings = output.split(/^(?=(?:warning|error)\[)/m).slice(1);
  const unexpected = findings.filter((finding) =>
    !finding.startsWith("warning[unanalyzable-dynamic-import]") || !optionalImports.test(finding)
  );
  if (code !== 0 || unexpected.length > 0) fail(`deno ${args.join(" ")}`, output);
  console.log(`jsr: ${output.match(/^ +file:\/\//gm)?.length ?? 0} files`);
}

await checkNpm();
await checkJsr();
process.exit(failed ? 1 : 0);
