/**
 * npm run prove -- document_joins [--cycles=10000]
 *
 * One process; so many clients join a document that stays, say where they are, some write, and leave
 * without a word more; and as many documents are joined once and left. Nothing of those who are gone may
 * stay: the heap after a collection must be flat.
 */
import process from "node:process";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { parseArgs } from "node:util";
import { memoryStorage } from "../../adapters/memory/mod.ts";
import { webClock } from "../../adapters/web/clock.ts";
import { createHoldfast, type DocumentClient, type JsonValue, treeDocument } from "../../mod.ts";
import { DocumentConnection } from "../../src/document/connection.ts";

const { values } = parseArgs({ options: { cycles: { type: "string", default: "10000" } } });
const cycles = Number(values.cycles);
const atOnce = 100;
/** Megabytes that are noise. */
const most = 2;

setFlagsFromString("--expose-gc");
const bun = (globalThis as { Bun?: { gc(sync: boolean): void } }).Bun;
const collect: () => void = bun === undefined ? runInNewContext("gc") : () => bun.gc(true);
const clock = webClock();
const Board = treeDocument({ name: "board", vsn: 1, gracePeriodMs: 10, snapshotIntervalMs: null });
await using holdfast = createHoldfast({
  storage: memoryStorage(),
  secrets: [crypto.getRandomValues(new Uint8Array(32))],
});
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Comes, says something, and goes as a socket does. */
async function visit(id: string, visitor: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const connection = new DocumentConnection({
    clock,
    // A tree is JSON, and so are its operations.
    document: holdfast.document(Board, id) as unknown as DocumentClient<JsonValue, JsonValue>,
    vsn: 1,
    actor: `visitor ${visitor}`,
    readOnly: false,
    nameOf: (client) => client,
    active: () => {},
    buffered: () => 0,
    close: () => resolve(),
    send: (text) => {
      if (text.startsWith('{"t":"joined"')) resolve();
    },
  });
  const say = (frame: object) => connection.received(JSON.stringify(frame));
  say({ t: "join", v: 1, client: `${visitor}`.padStart(20, "c") });
  await promise;
  say({ t: "here", data: { at: visitor } });
  if (visitor % 20 === 0) {
    say({ t: "op", seq: 1, op: { op: "update", id: "a", set: { visitor } } });
    await pause(5);
  }
  connection.closed();
}

async function visits(from: number, idOf: (visitor: number) => string): Promise<void> {
  for (let next = from; next < from + cycles; next += atOnce) {
    await Promise.all(Array.from({ length: atOnce }, (_, n) => visit(idOf(next + n), next + n)));
  }
}

async function heapMb(): Promise<number> {
  // What lingers for a moment, does: presence, the grace period, time limits of operations.
  await pause(1000);
  for (let round = 0; round < 5; round++) {
    collect();
    await pause(50);
  }
  return process.memoryUsage().heapUsed / 1024 / 1024;
}

const stays = holdfast.document(Board, "stays");
await stays.join({ actor: "host", deliver: () => {} });
await stays.mutate({ op: "put", nodes: [{ id: "a", type: "card", attrs: {}, parent: null }] });
// Tables with a limit fill up first.
for (let round = 0; round < 2; round++) await visits(round * cycles, () => "stays");
const before = await heapMb();
await visits(2 * cycles, () => "stays");
const after = await heapMb();
await visits(3 * cycles, (visitor) => visitor % 20 === 0 ? "stays" : `passes ${visitor}`);
const many = await heapMb();
const { subscribers } = await stays.info();
console.log(
  `heap ${before.toFixed(1)} MB, ${
    after.toFixed(1)
  } MB after ${cycles} who joined and left one document, ` +
    `${many.toFixed(1)} MB after ${cycles} documents; ${subscribers} is subscribed`,
);
process.exit(after - before < most && many - after < most && subscribers === 1 ? 0 : 1);
