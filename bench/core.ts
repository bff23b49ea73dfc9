/**
 * The pure core on its own, beside the least a runtime could do for the same end:
 *
 *     npm run bench -- core [--runtime=node] [--quick]
 *
 * Subject and floor take turns, so that a noisy moment meets both; the ratio is that of the bests.
 */
import process from "node:process";
import { readCookie } from "../adapters/web/cookies.ts";
import { fastestHmac } from "../adapters/web/hmac.ts";
import { webRandom } from "../adapters/web/random.ts";
import { type JsonLimits, normalize, parseJson } from "../src/core/json.ts";
import { sessionKeyHash } from "../src/core/key.ts";
import { deriveKeys } from "../src/core/secret.ts";
import { mintSid, signToken, verifyToken } from "../src/core/token.ts";
import { decodeRecord, encodeRecord } from "../src/object/record.ts";
import { flag } from "./_lib/options.ts";
import { figure, median, table } from "./_lib/stats.ts";

/** One operation, with the least that could do for it. */
interface Subject {
  readonly name: string;
  readonly run: () => unknown;
  readonly floorName: string;
  readonly floor: () => unknown;
}

const ROUND_MS = flag("quick") ? 2 : 40;
const ROUNDS = flag("quick") ? 3 : 15;

const COOKIE = "__Host-holdfast";
const limits: JsonLimits = {
  maxBytes: 1 << 20,
  maxDepth: 32,
  maxNodes: 100_000,
};
const random = webRandom();
const hmac = fastestHmac();
const secret = random.bytes(32);
const keys = await deriveKeys([secret], hmac);
const [current] = keys;
if (current === undefined) throw new Error("One secret has one set of keys");
const sid = mintSid(random);
const token = await signToken(current, COOKIE, sid, hmac);
const header = `theme=dark; _ga=GA1.1.1234567890.1700000000; ${COOKIE}=${token}; lang=en`;
const message = new Uint8Array(70);

/** A cart whose JSON text has about so many bytes. */
function cart(bytes: number): object {
  const item = (n: number): object => ({
    sku: `kelp-${n}`,
    count: n % 9,
    price: 12.5,
    gift: false,
  });
  const items = Array.from({ length: 100 }, (_, n) => item(1000 + n));
  const each = JSON.stringify(items).length / items.length;
  return {
    user: "u-1",
    items: Array.from({ length: bytes / each }, (_, n) => item(1000 + n)),
  };
}

function jsonSubjects(kilobytes: number): Subject[] {
  const value = cart(kilobytes * 1000);
  const text = JSON.stringify(value);
  const record = encodeRecord(7, "0123456789abcdef.1", {
    stateText: text,
    ended: undefined,
  });
  return [
    {
      name: `normalize ${kilobytes} KB`,
      run: () => normalize(value, { limits }),
      floorName: "JSON.parse(JSON.stringify())",
      floor: () => JSON.parse(JSON.stringify(value)),
    },
    {
      name: `parseJson ${kilobytes} KB`,
      run: () => parseJson(text, limits),
      floorName: "JSON.parse()",
      floor: () => JSON.parse(text),
    },
    {
      name: `decodeRecord ${kilobytes} KB`,
      run: () => decodeRecord("1", record, limits.maxBytes),
      floorName: "JSON.parse()",
      floor: () => JSON.parse(record),
    },
  ];
}

function hmacs(count: number): Pick<Subject, "floorName" | "floor"> {
  const floor = async (): Promise<unknown> => {
    for (let n = 1; n < count; n++) await hmac(secret, message);
    return await hmac(secret, message);
  };
  return count === 1
    ? { floorName: "1 HMAC", floor: () => hmac(secret, message) }
    : { floorName: `${count} HMACs`, floor };
}

const subjects: readonly Subject[] = [
  ...[1, 10, 100].flatMap(jsonSubjects),
  {
    name: "readCookie",
    run: () => readCookie(header, COOKIE),
    floorName: "split and find",
    floor: () => header.split("; ").find((pair) => pair.startsWith(`${COOKIE}=`)),
  },
  {
    name: "verifyToken",
    run: () => verifyToken(keys, COOKIE, token, hmac),
    ...hmacs(1),
  },
  {
    name: "signToken",
    run: () => signToken(current, COOKIE, sid, hmac),
    ...hmacs(1),
  },
  {
    name: "sessionKeyHash",
    run: () => sessionKeyHash(current, "app", sid, hmac),
    ...hmacs(1),
  },
  // Once per process: four keys of two HMACs each.
  { name: "deriveKeys", run: () => deriveKeys([secret], hmac), ...hmacs(8) },
];

/** Keeps results alive, so that no compiler leaves the work out. */
let sink: unknown;

/** Runs it `count` times; answers with ns per run. */
async function time(run: () => unknown, count: number): Promise<number> {
  const start = performance.now();
  for (let n = 0; n < count; n++) {
    const result = run();
    sink = result instanceof Promise ? await result : result;
  }
  return (performance.now() - start) * 1e6 / count;
}

/** How often it has to run to fill a round. */
async function calibrate(run: () => unknown): Promise<number> {
  for (let count = 1;; count *= 2) {
    const ms = await time(run, count) * count / 1e6;
    if (ms >= ROUND_MS / 2) {
      return Math.max(1, Math.round(count * ROUND_MS / ms));
    }
  }
}

async function measure({ name, run, floorName, floor }: Subject): Promise<string[]> {
  const counts = [await calibrate(run), await calibrate(floor)] as const;
  const own: number[] = [];
  const least: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    own.push(await time(run, counts[0]));
    least.push(await time(floor, counts[1]));
  }
  const [best, bestFloor] = [Math.min(...own), Math.min(...least)];
  const floors = [floorName, figure(bestFloor), figure(median(least))];
  return [
    name,
    figure(best),
    figure(median(own)),
    ...floors,
    figure(best / bestFloor),
  ];
}

const head = [
  "ns per run",
  "best",
  "median",
  "floor",
  "best",
  "median",
  "× floor",
];
const rows: string[][] = [];
for (const subject of subjects) rows.push(await measure(subject));
if (sink === undefined) throw new Error("Cannot measure: nothing was done");
const runtime = "Bun" in globalThis ? "bun" : "Deno" in globalThis ? "deno" : "node";
const versions: Readonly<Record<string, string | undefined>> = process.versions;
console.log(`### ${runtime} ${versions[runtime]}\n\n${table(head, rows)}`);
