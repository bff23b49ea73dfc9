import { outOfRange } from "../../../src/core/options.ts";
import { HoldfastError, StorageUnavailableError } from "../../../src/core/errors.ts";
import { encodeId } from "../../../src/core/key.ts";
import { detach } from "../../../src/object/detach.ts";
import type { ObjectClient, ObjectDefinition } from "../../../src/object/model.ts";
import type { Random } from "../../../src/ports/random.ts";
import type { Holdfast } from "../../web/holdfast.ts";
import type { CallOutcome, CallRecord, History } from "./history.ts";
import { errorText, replyText } from "./model.ts";
import type { Network } from "./network.ts";
import type { SimulatedNode } from "./node.ts";
import type { OnInnerCall } from "./observe.ts";

/** Options of {@linkcode SimulatedClient.object}. */
export interface SimulatedCallOptions {
  /** See what the store holds now. @default {false} */
  readonly fresh?: boolean;
}

/** Somebody who uses the objects of a simulation, from outside of its nodes. */
export interface SimulatedClient {
  /** Its name: `c1`, `c2`, … */
  readonly name: string;
  /** Which of its steps this is, from 1. */
  readonly step: number;
  /** A number in [0, 1), the same for the same seed. */
  random(): number;
  /** One of some items, drawn by lot. */
  pick<T>(items: readonly T[]): T;
  /** Waits in virtual time, in milliseconds. */
  pause(ms: number): Promise<void>;
  /**
   * A durable object by way of one node, which may die: then, and where an answer is lost, a call
   * rejects with a {@linkcode NodeLostError}. A client made anew goes by way of any node.
   */
  object<S extends object, H>(
    definition: ObjectDefinition<S, H>,
    id: string,
    options?: SimulatedCallOptions,
  ): ObjectClient<H>;
  /** Deletes an object by way of any node; `false` if there was nothing. */
  delete<S extends object, H>(definition: ObjectDefinition<S, H>, id: string): Promise<boolean>;
  /** Runs a function on any node, as a handler of requests is: for what is not a call of an object. */
  ask<T>(run: (holdfast: Holdfast) => T | Promise<T>): Promise<T>;
}

/** Thrown to a client whose node has died, or whose answer was lost: it may have happened. */
export class NodeLostError extends Error {
  /** What to match on. */
  readonly code = "ERR_NODE_LOST";

  /** @internal */
  constructor(node: string) {
    super(`Cannot hear from node "${node}": it died, or its answer was lost`);
    this.name = "NodeLostError";
  }
}

/** What clients act on. */
export interface Scene {
  readonly network: Network;
  readonly history: History;
  /** The nodes that are up. */
  readonly nodes: readonly SimulatedNode[];
}

/** A client, step by step. */
export class Client implements SimulatedClient {
  readonly name: string;
  step = 0;
  readonly #scene: Scene;
  readonly #random: Random;

  constructor(name: string, scene: Scene, random: Random) {
    this.name = name;
    this.#scene = scene;
    this.#random = random;
  }

  random(): number {
    return this.#random.number();
  }

  pick<T>(items: readonly T[]): T {
    const item = items[Math.floor(this.random() * items.length)];
    if (item === undefined) throw outOfRange("Cannot pick: there is nothing to pick from");
    return item;
  }

  pause(ms: number): Promise<void> {
    return this.#scene.network.scheduler.pause(ms);
  }

  object<S extends object, H>(
    definition: ObjectDefinition<S, H>,
    id: string,
    { fresh = false }: SimulatedCallOptions = {},
  ): ObjectClient<H> {
    const { name } = definition;
    let node: Promise<SimulatedNode> | undefined;
    const via = () => node ??= this.#anyNode();
    const client: Record<string, unknown> = {
      id,
      flush: async () => await this.#flush(await via(), name, id),
    };
    for (const handler of definition.spec.handlers.keys()) {
      client[handler] = async (...args: readonly unknown[]) =>
        await this.#call(await via(), name, id, handler, args, fresh);
    }
    // Built from the definition whose type says what it is.
    return Object.freeze(client) as ObjectClient<H>;
  }

  async delete<S extends object, H>(
    { name }: ObjectDefinition<S, H>,
    id: string,
  ): Promise<boolean> {
    const node = await this.#anyNode();
    const record = this.#record(node, name, id, undefined, [], true);
    return await this.#exchange(node, () => node.holdfast.objects.delete(name, id), record);
  }

  async ask<T>(run: (holdfast: Holdfast) => T | Promise<T>): Promise<T> {
    const node = await this.#anyNode();
    return await this.#exchange(node, async () => await run(node.holdfast));
  }

  async #call(
    node: SimulatedNode,
    name: string,
    id: string,
    handler: string,
    args: readonly unknown[],
    fresh: boolean,
  ): Promise<unknown> {
    const record = this.#record(node, name, id, handler, args, fresh);
    const sent = structuredClone(args);
    const call = () => node.holdfast.call(name, id, handler, sent, { fresh });
    return await this.#exchange(node, call, record);
  }

  async #flush(node: SimulatedNode, name: string, id: string): Promise<void> {
    const { history, network } = this.#scene;
    const definition = node.objects.get(name);
    let from = 0;
    const note = (ok: boolean) => {
      history.line(network.scheduler.elapsed, node.name, "flushes", objectName(name, id), ok);
      history.flushes.push({
        object: objectName(name, id),
        node: node.name,
        from,
        to: history.step(),
        ok,
      });
    };
    const flush = async () => {
      if (definition === undefined) return;
      from = history.step();
      const { flush } = node.holdfast.object(definition as ObjectDefinition<object, object>, id);
      await flush().then(() => note(true), (error) => {
        note(false);
        throw error;
      });
    };
    await this.#exchange(node, flush);
  }

  #record(
    node: SimulatedNode,
    name: string,
    id: string,
    handler: string | undefined,
    args: readonly unknown[],
    fresh: boolean,
  ): CallRecord {
    const { history, network } = this.#scene;
    const record = newRecord(history, this.name, node, name, id, handler, args, fresh);
    history.line(network.scheduler.elapsed, this.name, "asks", node.name, nameOf(record));
    return record;
  }

  /** Sends a request to a node and waits for what becomes of it. */
  #exchange<T>(node: SimulatedNode, run: () => Promise<T>, record?: CallRecord): Promise<T> {
    const { network } = this.#scene;
    const { scheduler } = network;
    return new Promise<T>((resolve, reject) => {
      const lose = () =>
        void scheduler.after(network.latencyMs(), () => {
          reject(new NodeLostError(node.name));
        });
      const onDeath = () => {
        if (record?.outcome === "open") settle(this.#scene, record, fateOnDeath(record), undefined);
        lose();
      };
      if (!node.alive) return onDeath();
      node.waiting.add(onDeath);
      const answer = (deliver: () => void) => {
        if (!node.waiting.delete(onDeath)) return;
        if (network.strikes("loseReply")) lose();
        else scheduler.after(network.latencyMs(), deliver);
      };
      scheduler.after(network.latencyMs(), () => {
        if (!node.alive) return;
        if (record !== undefined) record.arrived = this.#scene.history.step();
        run().then((value) => {
          if (record !== undefined) settle(this.#scene, record, "answered", replyText(value));
          answer(() => resolve(value));
        }, (error) => {
          if (record !== undefined) settle(this.#scene, record, fateOf(error), errorText(error));
          answer(() => reject(error));
        });
      });
    });
  }

  async #anyNode(): Promise<SimulatedNode> {
    for (;;) {
      const open = this.#scene.nodes.filter((node) => node.open);
      if (open.length > 0) return this.pick(open);
      await this.pause(10);
    }
  }
}

/** Sees the calls that the handlers of a node make: they are calls like those of clients. */
export function innerCalls(scene: Omit<Scene, "nodes">, node: SimulatedNode): OnInnerCall {
  return async (name, id, handler, args, call) => {
    const { history } = scene;
    const record = newRecord(history, node.name, node, name, id, handler, args, false, true);
    record.arrived = history.step();
    const onDeath = () => settle(scene, record, "unknown", undefined);
    node.waiting.add(onDeath);
    try {
      const value = await call();
      if (record.outcome === "open") settle(scene, record, "answered", replyText(value));
      return value;
    } catch (error) {
      if (record.outcome === "open") settle(scene, record, fateOf(error), errorText(error));
      throw error;
    } finally {
      node.waiting.delete(onDeath);
    }
  };
}

function newRecord(
  history: History,
  client: string,
  node: SimulatedNode,
  name: string,
  id: string,
  handler: string | undefined,
  args: readonly unknown[],
  fresh: boolean,
  inner = false,
): CallRecord {
  const record: CallRecord = {
    object: objectName(name, id),
    client,
    node: node.name,
    spec: node.objects.get(name)?.spec,
    handler,
    args: args.map((arg) => detach(arg)),
    fresh,
    from: history.step(),
    arrived: undefined,
    inner,
    to: Infinity,
    outcome: "open",
    reply: undefined,
    durable: undefined,
  };
  history.calls.push(record);
  return record;
}

/** Notes what became of a call, at that instant. */
function settle(
  { history, network }: Omit<Scene, "nodes">,
  record: CallRecord,
  outcome: CallOutcome,
  reply: string | undefined,
): void {
  record.to = history.step();
  record.outcome = outcome;
  record.reply = reply;
  record.durable = history.durable(record.object);
  const { elapsed } = network.scheduler;
  history.line(elapsed, record.node, "answers", record.client, nameOf(record), outcome, reply);
}

/** What an object is called: the end of its key in the store. */
export function objectName(name: string, id: string): string {
  return `${name}/${encodeId(id)}`;
}

/** What a call is called where it is told about. */
export function nameOf({ object, handler, args }: CallRecord): string {
  const given = args.map((arg) => replyText(arg)).join(", ");
  return handler === undefined ? `delete ${object}` : `${object}.${handler}(${given})`;
}

function fateOnDeath({ arrived }: CallRecord): CallOutcome {
  return arrived === undefined ? "refused" : "unknown";
}

/** The errors of ours that depend on what is stored: the model foretells them. */
const foretold: readonly string[] = ["ERR_DELETED", "ERR_NEWER_VERSION", "ERR_UNRECOVERED"];

/** What an error says of a call: every error but a storage's of unknown outcome says what happened. */
function fateOf(error: unknown): CallOutcome {
  if (error instanceof StorageUnavailableError) {
    return error.outcome === "none" ? "refused" : "unknown";
  }
  if (!(error instanceof HoldfastError)) return "answered";
  return foretold.includes(error.code) ? "answered" : "refused";
}
