import { seededRandom } from "../../../adapters/testing/seeded_random.ts";
import { createVirtualClock } from "../../../adapters/testing/virtual_clock.ts";
import type { Random } from "../../../src/ports/random.ts";
import { pause, runClient, type Scene } from "./client.ts";
import { History } from "./history.ts";
import { Ledger } from "./ledger.ts";
import { type Site, startNode, type Weather } from "./node.ts";

/** What a simulation found. */
export interface Report {
  /** What went wrong; empty if the rules hold. */
  readonly problems: readonly string[];
  /** How often what happened. */
  readonly counts: Readonly<Record<string, number>>;
}

/** Nodes, and longest time a simulation may take before something hangs, in virtual ms. */
const longestMs = 10 * 60_000;

/**
 * Runs clients on two or three engines over one store, with everything going wrong that can, and
 * checks what they were told against what is stored (SPEC OB21). The same seed does the same.
 */
export async function simulate(seed: number): Promise<Report> {
  const random = seededRandom(seed);
  const clock = createVirtualClock({ now: 1_000_000 });
  const ledger = new Ledger();
  const site: Site = {
    clock,
    random,
    storage: ledger.storage,
    weather: weatherFrom(random),
    limits: limitsFrom(random),
    stormy: true,
  };
  const history = new History(ledger);
  const nodes = Array.from({ length: random.number() < 0.5 ? 2 : 3 }, () => startNode(site));
  const scene: Scene = { site, history, nodes, keys: ["k/1", "k/2", "mortal/1"] };
  const end = { reached: false };
  const done = play(scene, end).then(() => end.reached = true);
  await clock.runAll(longestMs);
  const problems = [...history.conclude()];
  if (!end.reached) problems.push("something hangs although the faults have stopped");
  else await done;
  return { problems, counts: history.counts };
}

async function play(scene: Scene, end: { readonly reached: boolean }): Promise<void> {
  const { site, nodes, history } = scene;
  const { random } = site;
  const actions = 6 + Math.floor(random.number() * 10);
  const clients = Array.from({ length: 4 }, (_, n) => runClient(scene, `c${n}`, actions));
  const chaos = random.number() < 0.6 ? churn(scene, end) : undefined;
  void pause(site, random.number() * 3000).then(() => site.stormy = false);
  await Promise.all(clients);
  await chaos;
  site.stormy = false;
  for (const { engine } of nodes) {
    const { complete } = await engine.drain(60_000);
    if (!complete) history.problems.push("a node could not be drained");
  }
}

/** Kills nodes, or drains them as a deploy does, and starts others. */
async function churn(scene: Scene, end: { readonly reached: boolean }): Promise<void> {
  const { site, nodes, history } = scene;
  const { random } = site;
  for (let n = 0; n < 3 && !end.reached; n++) {
    await pause(site, 20 + random.number() * 200);
    const at = Math.floor(random.number() * nodes.length);
    const node = nodes[at];
    if (node === undefined) continue;
    if (random.number() < 0.6) node.kill();
    else {
      const { complete } = await node.engine.drain(random.number() < 0.5 ? 60_000 : 20);
      if (!complete) node.kill();
    }
    nodes.splice(nodes.indexOf(node), 1);
    await pause(site, random.number() * 100);
    nodes.push(startNode(site));
  }
  if (nodes.length === 0) history.problems.push("no node is left");
}

function weatherFrom(random: Random): Weather {
  const bad = random.number() < 0.2 ? 0 : random.number();
  const some = (most: number) => random.number() * most * bad;
  return {
    rates: {
      refuse: some(0.1),
      "lose-request": some(0.1),
      "lose-answer": some(0.15),
      hang: some(0.05),
      "hang-after": some(0.05),
      conflict: some(0.1),
    },
    latencyMs: 1 + random.number() * 30,
    slowAnswers: random.number() * 0.5,
    strays: some(0.05),
  };
}

function limitsFrom(random: Random): Site["limits"] {
  const small = random.number() < 0.3;
  return {
    storageTimeoutMs: 100 + random.number() * 200,
    storageRetry: { tries: 3, firstDelayMs: 5, maxDelayMs: 40 },
    replays: small ? 3 : 20,
    mailbox: small ? 4 : 1000,
    idleMs: 300,
    maxActive: small ? 2 : 100,
  };
}
