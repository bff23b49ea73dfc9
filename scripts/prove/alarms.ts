/**
 * npm run prove -- alarms [--objects=10000] [--dueS=120]
 *
 * Three processes over a real NATS server, which also stores, have alarms that are all due at one time.
 * When a fifth has rung, the owner of a third of them is killed: every single alarm must have had its
 * effect once in the end. Needs nats-server.
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { ringThrough } from "../../test/nats/alarms.ts";
import { noNats } from "../../test/nats/fixtures/server.ts";

const { values } = parseArgs({
  options: {
    objects: { type: "string", default: "10000" },
    dueS: { type: "string", default: "120" },
  },
});
if (noNats !== undefined) {
  console.error(`Cannot prove anything here: ${noNats}`);
  process.exit(2);
}
const objects = Number(values.objects);
const { once, never, more, runs, before, tookMs } = await ringThrough(
  objects,
  1000 * Number(values.dueS),
  20 * 60_000,
);
console.log(
  `${objects} alarms: ${before} had rung when a node was killed, ` +
    `all had ${(tookMs / 1000).toFixed(1)} s later; ` +
    `${once} rang once, ${never} never, ${more} more than once; ${runs} runs of their handlers`,
);
process.exit(once === objects ? 0 : 1);
