import { HoldfastError } from "../../../src/core/errors.ts";
import { decodeId } from "../../../src/core/key.ts";
import type { ObjectSpec } from "../../../src/object/model.ts";
import type { Random } from "../../../src/ports/random.ts";
import type { HoldfastOptions } from "../../web/holdfast.ts";
import { Client, innerCalls, nameOf, NodeLostError } from "./client.ts";
import { drawWeather, type SimulatedFault } from "./faults.ts";
import { type CallOutcome, History, type SimulationCounts } from "./history.ts";
import { judge, type Judged } from "./judge.ts";
import { Ledger } from "./ledger.ts";
import { Messages } from "./messages.ts";
import { snapshotOf } from "./model.ts";
import { Network } from "./network.ts";
import { fork, SimulatedNode } from "./node.ts";
import { operate } from "./operator.ts";
import {
  checkOptions,
  type SimulationEnd,
  type SimulationOptions,
  type SimulationReport,
} from "./options.ts";
import { Scheduler } from "./scheduler.ts";
import { SimulatedStore } from "./store.ts";
import { overdue, storedOf } from "./stored.ts";

const minute = 60_000;

/** What the wall shows when a simulation begins. */
const beginning = 1_800_000_000_000;

/** What chance is for; each has a source of its own, so that less of one does not change another. */
const purpose = { order: 1, faults: 2, weather: 3, setting: 4, nodes: 5, clients: 100 } as const;

/**
 * Runs objects on several nodes over one store, in virtual time, with everything going wrong that can:
 * nodes that die between any two contacts with the outside and come back without memory, requests
 * and answers that are lost, late or doubled, clocks that disagree. The seed decides it all. Then
 * everything is well again, and what clients were told is held against what is stored:
 *
 * - The calls of each object can be explained by its handlers, run alone one after the other on plain
 *   data, each between its beginning and its answer; whatever was acknowledged was durable by then.
 *   (Not for handlers that ask for time, chance or another object: nobody can foretell those.)
 * - Every alarm has its effect once, and none is left over.
 * - What was deleted stays deleted.
 * - Nothing hangs once the faults have stopped.
 * - With `durability: "behind"`, what was not flushed may be lost, never half of it.
 * - Your own `invariant` and `check` hold.
 *
 * Handlers and workload must wait for nothing but what they are given: a timer or a network of their
 * own would be outside of the seed's reach.
 *
 * @param options The seed, what to run, and how much may go wrong.
 * @returns What was found; the same for the same options, on every runtime.
 * @throws {TypeError} If an option makes no sense.
 * @throws {RangeError} If a number is out of range.
 *
 * @example A counter that counts each call once, whatever happens
 * ```ts
 * import { defineObject } from "@holdfast/holdfast";
 * import { simulate } from "@holdfast/holdfast/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const Counter = defineObject({
 *   name: "counter",
 *   vsn: 1,
 *   state: () => ({ count: 0 }),
 *   handlers: { increment: ({ state }) => ++state.count },
 * });
 *
 * const { problems, counts } = await simulate({
 *   seed: 1,
 *   objects: [Counter],
 *   workload: async (client) => void await client.object(Counter, client.pick(["a", "b"])).increment(),
 * });
 * assertEquals(problems, []);
 * assertEquals(counts.checked, 2);
 * ```
 */
export async function simulate<N = undefined>(
  options: SimulationOptions<N>,
): Promise<SimulationReport> {
  return await new Simulation(options).run();
}

class Simulation<N> {
  readonly #options: SimulationOptions<N>;
  readonly #size: ReturnType<typeof checkOptions>;
  readonly #setting: Random;
  readonly #scheduler: Scheduler;
  readonly #network: Network;
  readonly #history = new History();
  readonly #ledger: Ledger;
  readonly #store: SimulatedStore;
  readonly #storeEnd = { name: "store", alive: true, cut: false };
  readonly #messages: Messages | undefined;
  readonly #nodes: SimulatedNode[] = [];
  readonly #specs = new Map<string, ObjectSpec[]>();
  readonly #written: { readonly key: string; readonly text: string }[] = [];
  readonly #notes: N;
  #started = 0;
  /** The share of nodes that are started on the next definitions. */
  #upgraded = 0;

  constructor(options: SimulationOptions<N>) {
    this.#options = options;
    this.#size = checkOptions(options);
    const { seed } = options;
    this.#setting = fork(seed, purpose.setting);
    this.#scheduler = new Scheduler(fork(seed, purpose.order));
    const weather = drawWeather(fork(seed, purpose.weather), options.faults ?? {});
    this.#network = new Network(this.#scheduler, fork(seed, purpose.faults), weather);
    this.#ledger = new Ledger(this.#history, "app/object/", () => this.#scheduler.elapsed);
    this.#store = new SimulatedStore((key, value) => this.#onChange(key, value));
    if (options.cluster) this.#messages = new Messages(this.#network, this.#history);
    this.#notes = options.notes?.() as N;
    this.#limits = this.#drawLimits();
  }

  readonly #limits: SimulationOptions["holdfast"];

  async run(): Promise<SimulationReport> {
    for (let n = 0; n < this.#size.nodes; n++) this.#nodes.push(this.#start());
    this.#upgraded = 0.7;
    await this.#storm();
    await this.#calm();
    const judged = await judge(
      this.#history,
      this.#specs,
      this.#tries,
      this.#messages !== undefined,
    );
    // What a check does is nobody's call.
    await this.#look();
    const { seed } = this.#options;
    const { problems } = this.#history;
    const text = () => this.#history.text();
    return {
      seed,
      problems,
      counts: this.#counts(judged),
      get history() {
        return text();
      },
    };
  }

  get #tries(): number {
    return this.#options.holdfast?.alarms?.tries ?? 10;
  }

  /** Small limits are where the corners are. */
  #drawLimits(): SimulationOptions["holdfast"] {
    const lot = (few: number, many: number) => this.#setting.number() < 0.3 ? few : many;
    const { holdfast = {} } = this.#options;
    const limits = {
      storageTimeoutMs: 100 + Math.floor(this.#setting.number() * 400),
      mailbox: lot(4, 1000),
      maxObjects: lot(2, 1000),
      ...holdfast.limits,
    };
    const alarms = { pollEveryMs: lot(500, 5000), ...holdfast.alarms };
    const telemetry = this.#setting.number() < 0.5 ? { telemetry: () => {} } : {};
    return { ...telemetry, ...holdfast, limits, alarms };
  }

  #start(more: Partial<HoldfastOptions> = {}): SimulatedNode {
    const { objects, next = objects, seed } = this.#options;
    const number = ++this.#started;
    const random = fork(seed, purpose.nodes + number * 1000);
    const skew = this.#network.rate("skew") > 0 ? (random.number() - 0.5) * minute : 0;
    if (skew !== 0) this.#network.note("skew");
    const served = random.number() < this.#upgraded ? next : objects;
    for (const { spec } of served) {
      const known = this.#specs.get(spec.name) ?? [];
      if (!known.includes(spec)) this.#specs.set(spec.name, [...known, spec]);
    }
    const node = new SimulatedNode({
      name: `n${number}`,
      seed: Math.floor(random.number() * 2 ** 32),
      wallMs: beginning + this.#scheduler.elapsed + skew,
      objects: served,
      onInnerCall: (node) => innerCalls({ network: this.#network, history: this.#history }, node),
      holdfast: { ...this.#limits, ...more },
      messages: this.#messages,
      network: this.#network,
      store: this.#store,
      storeEnd: this.#storeEnd,
      local: random.number() < 0.25,
      onMessage: (node, what, ...rest) => {
        // Looks for alarms go on all the time, and nearly all of them find nothing.
        if (what === "list" && !this.#network.stormy) return;
        this.#history.line(this.#scheduler.elapsed, node, what, ...rest);
      },
    });
    this.#history.line(this.#scheduler.elapsed, node.name, "starts");
    return node;
  }

  #onChange(key: string, value: string | undefined): void {
    this.#ledger.note(key, value);
    if (value === undefined) return;
    this.#written.push({ key, text: value });
    const [, kind, name = "", segment = ""] = key.split("/");
    const { invariant } = this.#options;
    if (kind !== "object" || invariant === undefined) return;
    const snapshot = snapshotOf(value);
    if (snapshot.kind !== "live") return;
    const object = { name, id: decodeId(segment) ?? "", vsn: snapshot.vsn, state: snapshot.user };
    try {
      invariant(object, this.#notes);
    } catch (error) {
      this.#history.complain(`${name}/${segment}: ${describe(error)}`);
    }
  }

  /** Clients do what they do while things go wrong. */
  async #storm(): Promise<void> {
    const { clients } = this.#size;
    const done = { clients: 0 };
    for (let n = 1; n <= clients; n++) {
      void this.#act(n).then(() => done.clients++);
    }
    void operate({
      network: this.#network,
      history: this.#history,
      nodes: this.#nodes,
      storeEnd: this.#storeEnd,
      messages: this.#messages,
      start: () => this.#start(),
    });
    this.#scheduler.after(200 + this.#setting.number() * 4000, () => this.#network.stormy = false);
    if (await this.#scheduler.run(() => done.clients === clients, 30 * minute)) return;
    const open = this.#history.calls.filter(({ outcome }) => outcome === "open").map(nameOf);
    const what = open.length === 0 ? "a client" : open.slice(0, 3).join(", ");
    this.#history.complain(`${what} hangs although the faults have stopped`);
  }

  async #act(number: number): Promise<void> {
    const random = fork(this.#options.seed, purpose.clients + number);
    const client = new Client(`c${number}`, {
      network: this.#network,
      history: this.#history,
      nodes: this.#nodes,
    }, random);
    for (client.step = 1; client.step <= this.#size.steps; client.step++) {
      await client.pause(random.number() ** 2 * 200);
      try {
        await this.#options.workload(client, this.#notes);
      } catch (error) {
        if (error instanceof HoldfastError || error instanceof NodeLostError) continue;
        this.#history.complain(`${client.name} at step ${client.step}: ${describe(error)}`);
      }
    }
  }

  /** Everything is well again: what was under way arrives, alarms ring, and nodes close. */
  async #calm(): Promise<void> {
    const scheduler = this.#scheduler;
    this.#network.stormy = false;
    this.#storeEnd.cut = false;
    this.#messages?.mend();
    // What is still on its way, requests that were given up included, arrives.
    await scheduler.run(() => false, 6000);
    for (const node of this.#nodes) node.cut = false;
    await this.#finishDeploy();
    await this.#ring();
    for (const node of this.#nodes) {
      if (await this.#within(minute, () => this.#close(node))) continue;
      this.#history.complain(`${node.name} cannot be closed although the faults have stopped`);
    }
  }

  /** Replaces the nodes that serve the definitions of before. */
  async #finishDeploy(): Promise<void> {
    if (this.#options.next === undefined) return;
    this.#upgraded = 1;
    for (const node of [...this.#nodes]) {
      if (await this.#within(minute, () => this.#close(node))) {
        this.#nodes.splice(this.#nodes.indexOf(node), 1, this.#start());
      } else this.#history.complain(`${node.name} cannot be replaced`);
    }
  }

  /** Waits for alarms, those included that failed and are tried again. */
  async #ring(): Promise<void> {
    const wall = () => beginning + this.#scheduler.elapsed;
    for (let waited = 0; waited < 30; waited++) {
      const next = overdue(this.#history, wall() + 10 * minute)[0];
      if (next === undefined) return;
      await this.#scheduler.run(() => false, minute / 2);
    }
    // Clocks differ by a minute, and an object that could not be looked at is left for five.
    for (const { object, name } of overdue(this.#history, wall() - 7 * minute)) {
      this.#history.complain(`${object}: alarm "${name}" does not fire`);
    }
  }

  async #close(node: SimulatedNode): Promise<void> {
    const { complete, unfinished } = await node.holdfast.close({ withinMs: minute / 2 });
    if (!complete) this.#history.complain(`${node.name} closes with ${unfinished} unfinished`);
    node.kill();
  }

  /** Looks at what is left, on a node that nothing happens to. */
  async #look(): Promise<void> {
    const { check } = this.#options;
    const node = this.#start({ alarms: { ...this.#limits?.alarms, pollEveryMs: minute } });
    if (this.#setting.number() < (this.#messages === undefined ? 0.2 : 0.02)) await this.#bury();
    if (check !== undefined) {
      const end: SimulationEnd = {
        stored: ({ name }) => storedOf(this.#history, name),
        written: this.#written,
        holdfast: node.holdfast,
      };
      const looked = await this.#within(5 * minute, async () => {
        try {
          await check(end, this.#notes);
        } catch (error) {
          this.#history.complain(describe(error));
        }
      });
      if (!looked) this.#history.complain("the check at the end hangs");
    }
    node.kill();
  }

  /** Two hours later nothing is left of what was deleted, nor an entry that no alarm needs. */
  async #bury(): Promise<void> {
    await this.#scheduler.run(() => false, 125 * minute);
    for (const object of this.#history.changes.keys()) {
      const record = this.#history.durable(object);
      if (record !== undefined && snapshotOf(record).kind === "deleted") {
        this.#history.complain(`${object}: what is left of it is never removed`);
      }
    }
    const left = this.#store.list("app/alarm/");
    if (overdue(this.#history, Infinity).length > 0 || left.length === 0) return;
    this.#history.complain(`${left.length} entries are left in the index of alarms`);
  }

  async #within(ms: number, run: () => Promise<void>): Promise<boolean> {
    let done = false;
    void run().then(() => done = true);
    return await this.#scheduler.run(() => done, ms);
  }

  #counts({ checked, unchecked }: Judged): SimulationCounts {
    const calls: Record<CallOutcome, number> = { open: 0, answered: 0, refused: 0, unknown: 0 };
    for (const { outcome } of this.#history.calls) calls[outcome]++;
    const faults: Readonly<Partial<Record<SimulatedFault, number>>> = this.#network.counts;
    return { calls, writes: this.#ledger.writes, faults, checked, unchecked };
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
