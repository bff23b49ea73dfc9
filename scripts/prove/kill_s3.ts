/**
 * Kills one of two processes that write to the same object on a real S3 server, over and over, and
 * checks that everything acknowledged is there, once (SPEC SB16). Needs the S3 fixture:
 * `npm run prove -- kill_s3 [--runtime=node] [kills]`.
 */
import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { s3Storage } from "../../adapters/s3/mod.ts";
import { idsIn } from "../../test/object/world.ts";
import { noCeph } from "../../test/s3/fixtures/ceph.ts";
import { cephBucket, type Place } from "../../test/s3/fixtures/servers.ts";

interface Writer {
  readonly child: ChildProcess;
  /** Ids it has acknowledged so far. */
  readonly ids: string[];
  readonly ended: Promise<void>;
}

function startWriter(place: Place, key: string, name: string, heard: () => void): Writer {
  const script = fileURLToPath(new URL("./_append_s3.ts", import.meta.url));
  const before = "Deno" in globalThis ? ["run", "-A", "--no-check", "--quiet"] : [];
  const args = [...before, script, JSON.stringify(place), key, name];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const ids: string[] = [];
  let partial = "";
  child.stdout.on("data", (chunk: Uint8Array) => {
    const parts = (partial + chunk).split("\n");
    partial = parts.pop() ?? "";
    ids.push(...parts);
    heard();
  });
  const ended = new Promise<void>((resolve) => void child.on("close", () => resolve()));
  return { child, ids, ended };
}

/** Two writers, of which one is killed first; answers how many were acknowledged, and what is wrong. */
async function round(place: Place, kill: number): Promise<readonly [number, string[]]> {
  const key = `app/o/${kill}`;
  let heard = (): void => {};
  const writers = ["a", "b"].map((name) => startWriter(place, key, name, () => heard()));
  const total = (): number => writers.reduce((sum, { ids }) => sum + ids.length, 0);
  const reached = (count: number): Promise<void> =>
    new Promise((resolve) => {
      heard = () => total() >= count ? resolve() : undefined;
      heard();
    });
  // Anywhere in the life of the processes, the first write included; the other one goes on.
  await reached(1 + (kill * 37) % 300);
  const [killed, left] = kill % 2 === 0 ? writers : [...writers].reverse();
  killed?.child.kill("SIGKILL");
  await killed?.ended;
  await reached(total() + 20);
  left?.child.kill("SIGKILL");
  await left?.ended;
  const storage = s3Storage(place);
  const stored = idsIn((await storage.get(key))?.value);
  await storage.close();
  const acknowledged = writers.flatMap(({ ids }) => ids);
  const there = new Set(stored);
  const lost = acknowledged.filter((id) => !there.has(id)).map((id) => `${id} is gone`);
  const twice = stored.length === there.size
    ? []
    : [`${stored.length - there.size} are there twice`];
  return [acknowledged.length, [...lost, ...twice]];
}

if (noCeph !== undefined) {
  console.error(`Cannot prove it here: ${noCeph}`);
  process.exit(2);
}
const kills = Number(process.argv[2] ?? 30);
const { place, remove } = await cephBucket();
let acknowledged = 0;
let problems = 0;
try {
  for (let kill = 1; kill <= kills; kill++) {
    const [count, wrong] = await round(place, kill);
    acknowledged += count;
    problems += wrong.length;
    if (wrong.length > 0) console.log(`kill ${kill}: ${wrong.slice(0, 3).join(", ")}`);
  }
} finally {
  await remove();
}
console.log(`${kills} kills, ${acknowledged} acknowledged writes, ${problems} problems`);
process.exit(problems === 0 && acknowledged > 0 ? 0 : 1);
