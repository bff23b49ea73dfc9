// What npm and JSR would publish, without publishing: warnings are errors.
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { needRuntime, root } from "./lib/runtimes.mjs";
import { capture } from "./lib/run.mjs";

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

/** Packs and unpacks, so that what is looked at is what npm would send. */
async function unpacked() {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-publish-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  const args = ["pack", "--ignore-scripts", "--pack-destination", folder];
  const packed = await capture("npm", args, { cwd: root, env });
  if (packed.code !== 0) fail("npm pack", packed.output);
  const tarball = readdirSync(folder).find((name) => name.endsWith(".tgz"));
  const { code, output } = await capture("tar", ["-xzf", tarball], { cwd: folder, env });
  if (code !== 0) fail("tar", output);
  return join(folder, "package");
}

async function checkNpm() {
  const audit = [join(root, "scripts", "audit.mjs"), await unpacked()];
  const audited = await capture(process.execPath, audit, { cwd: root, env });
  if (audited.code !== 0) fail("the audit of what npm would publish");
  console.log(audited.output.trim());
  const publint = ["node_modules/publint/src/cli.js", "--strict"];
  const { code, output } = await capture(process.execPath, publint, { cwd: root, env });
  if (code !== 0) fail("publint --strict", output);
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
