import { assert, assertEquals } from "../harness/mod.ts";
import { seededRandom } from "../../adapters/testing/seeded_random.ts";
import type { Holdfast } from "../../adapters/web/holdfast.ts";
import { defineDocument } from "../../src/document/definition.ts";
import type { DocumentDefinition } from "../../src/document/model.ts";
import { minute, world } from "../object_model/world.ts";
import { SimulatedClient } from "./simulated_client.ts";

interface Pad {
  /** Every text, in the order of the server. */
  readonly texts: readonly string[];
}

type PadOp = { readonly add: string };

/** Nothing is discarded, so that what comes twice is there twice. */
const PadDocument: DocumentDefinition<Pad, PadOp> = defineDocument<Pad, PadOp>({
  name: "pad",
  vsn: 1,
  state: () => ({ texts: [] }),
  apply: ({ texts }, { add }) => ({ state: { texts: [...texts, add] } }),
  snapshotOps: 5,
  historyOps: 20,
  gracePeriodMs: 1000,
});

/** What a run came to. */
export interface SimulationReport {
  readonly acknowledged: number;
  readonly breaks: number;
  readonly deaths: number;
}

/** Nodes, clients and faults of one run. */
class Run {
  readonly w = world();
  readonly #random: ReturnType<typeof seededRandom>;
  readonly #nodes: Holdfast[];
  readonly clients: readonly SimulatedClient<Pad, PadOp>[];
  #calm = false;
  breaks = 0;
  deaths = 0;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
    const kinds = ["lose-answer", "lose-request", "refuse", "conflict", "hang"] as const;
    this.w.storage.plan = () => {
      if (this.#calm) return "none";
      const kind = this.#chance(0.08) ? kinds[this.#below(kinds.length)] : "none";
      return { kind: kind ?? "none", latencyMs: this.#below(20) };
    };
    const faults = { delayMs: () => this.#below(40), breaks: () => this.#breaks() };
    this.#nodes = [this.w.node(), this.w.node()];
    this.clients = ["ada", "bob", "eve"].map((name) =>
      new SimulatedClient<Pad, PadOp>(PadDocument.spec, this.w.clock, name, faults)
    );
  }

  #chance(share: number): boolean {
    return this.#random.number() < share;
  }

  #below(count: number): number {
    return Math.floor(this.#random.number() * count);
  }

  #breaks(): boolean {
    const broke = !this.#calm && this.#chance(0.02);
    if (broke) this.breaks++;
    return broke;
  }

  #connectAll(): void {
    for (const client of this.clients) {
      const node = this.#nodes[this.#below(this.#nodes.length)];
      if (!client.connected) client.connect(node?.document(PadDocument, "a") as never);
    }
  }

  /** Something happens. */
  async step(): Promise<void> {
    if (this.#chance(0.7)) this.#connectAll();
    const client = this.clients[this.#below(this.clients.length)];
    if (this.#chance(0.6)) client?.mutate({ add: `${client.name} ${client.replica.next}` });
    if (this.#chance(0.05)) {
      this.deaths++;
      for (const each of this.clients) if (this.#chance(0.5)) each.break();
      this.#nodes[this.#below(2)] = this.w.node();
    }
    await this.w.clock.advance(this.#below(60));
  }

  /** The faults stop; tells whether everything that was done is answered. */
  async settle(): Promise<boolean> {
    this.#calm = true;
    const settled = () =>
      this.clients.every(({ replica, connected }) => connected && replica.pending.length === 0);
    for (let waited = 0; waited < 3 * minute && !settled(); waited += 100) await this.#wait();
    // A call to storage that was hanging ends, and then a node looks for what others have written.
    for (let waited = 0; waited < 15_000; waited += 100) await this.#wait();
    return settled();
  }

  async #wait(): Promise<void> {
    this.#connectAll();
    await this.w.clock.advance(100);
  }
}

/**
 * Clients on links that delay and break, two nodes of which some die, and a storage with faults of any
 * kind. Once the faults stop, everybody has one state: that of the log, with everything that was
 * acknowledged in it once.
 */
export async function simulate(seed: number): Promise<SimulationReport> {
  const run = new Run(seed);
  for (let step = 0; step < 60; step++) await run.step();
  assert(await run.settle(), `seed ${seed}: not settled`);
  const fresh = run.w.node().document(PadDocument, "a");
  const { texts } = await run.w.finish(fresh.state(), minute);
  let acknowledged = 0;
  for (const { replica, view, answers, name } of run.clients) {
    for (const [seq, { status }] of answers) {
      if (status !== "commit") continue;
      acknowledged++;
      const found = texts.filter((text) => text === `${name} ${seq}`).length;
      assertEquals(found, 1, `seed ${seed}: "${name} ${seq}" is there ${found} times`);
    }
    assertEquals(view, { texts }, `seed ${seed}: ${name} sees something else`);
    assertEquals(replica.confirmed, { texts }, `seed ${seed}`);
  }
  assertEquals(new Set(texts).size, texts.length, `seed ${seed}: something is there twice`);
  return { acknowledged, breaks: run.breaks, deaths: run.deaths };
}
