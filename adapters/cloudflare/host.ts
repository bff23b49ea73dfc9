import { answerOf, runErrand } from "../../src/cluster/errand.ts";
import type { Answer } from "../../src/cluster/wire.ts";
import { Directory } from "../../src/object/directory.ts";
import type { AnyObjectDefinition } from "../../src/object/model.ts";
import type { ObjectHost } from "../../src/object/objects.ts";
import type { Errand, Router } from "../../src/object/router.ts";
import type { Storage } from "../../src/ports/storage.ts";
import type { Telemetry } from "../../src/ports/telemetry.ts";
import { webClock } from "../web/clock.ts";
import { checkLimits, type HoldfastLimits } from "../web/limits.ts";
import { enginePorts, Listeners } from "../web/listeners.ts";
import { checkTries, objectHost } from "../web/object_root.ts";
import { webRandom } from "../web/random.ts";
import { type HostAsked, namespace, readAsked, Way } from "./errands.ts";
import { HostStorage } from "./host_storage.ts";
import { Ids } from "./ids.ts";
import { OwnStorage } from "./own.ts";
import type { DurableObjectHostContext, DurableObjectNamespaceLike } from "./platform.ts";
import { Records } from "./records.ts";
import { Wake } from "./wake.ts";
import { checkKnown, type OptionNames, wrongArgument } from "../../src/core/options.ts";

/** Limits of hosted objects; see {@linkcode HoldfastLimits}. */
export type HostLimits = Pick<
  HoldfastLimits,
  "callTimeoutMs" | "mailbox" | "maxObjectBytes" | "storageTimeoutMs"
>;

/** Options of {@linkcode durableObjectHost}. */
export interface DurableObjectHostOptions<E> {
  /** Definitions of all objects that are hosted. One that goes takes the calls and alarms of its objects along. */
  readonly objects: readonly AnyObjectDefinition[];
  /** Finds the binding to the class itself in `env`: objects call each other through it. */
  readonly binding: (env: E) => DurableObjectNamespaceLike;
  /**
   * Finds the storage in which the ids of all objects are noted, so that they can be listed; the same as
   * that of `hostedObjects()`. An object's first write and its end then cost a write there, too, and
   * fail while it fails. @default nobody can list
   */
  readonly ids?: (env: E) => Storage;
  /** Sizes, counts and time limits. */
  readonly limits?: Partial<HostLimits>;
  /** How often an alarm is tried before it is parked, 1 to 1000. @default {10} */
  readonly alarmTries?: number;
  /** Receives events. */
  readonly telemetry?: Telemetry;
}

/** A class of Durable Objects that host objects. */
export type DurableObjectHost<E> = new (ctx: DurableObjectHostContext, env: E) => {
  /** Does what is asked of the object. */
  fetch(request: Request): Promise<Response>;
  /** Fires what is due. */
  alarm(): Promise<void>;
};

/** Between two looks at the index while an object is in memory; its alarms have their timers. */
const pollEveryMs = 60_000;

const optionNames: OptionNames<DurableObjectHostOptions<never>> = {
  objects: true,
  binding: true,
  ids: true,
  limits: true,
  alarmTries: true,
  telemetry: "a function",
};

/**
 * Makes the class of the Durable Objects that host objects, each one object of its own: the engine is
 * inside, on the Durable Object's own storage and alarm, so that state, alarms, retries and parked
 * alarms are what they are elsewhere, and nothing is lost when the Durable Object leaves memory. Export
 * it from the Worker, bind it, and list it under `new_sqlite_classes`. {@linkcode hostedObjects} leads
 * there.
 *
 * @param options Which objects.
 * @returns The class.
 * @throws {TypeError} If an option makes no sense, or a definition is none.
 * @throws {RangeError} If a number is out of range.
 *
 * @example In the module of the Worker
 * ```ts
 * import { defineObject } from "@holdfast/holdfast";
 * import { durableObjectHost, type DurableObjectNamespaceLike } from "@holdfast/holdfast/cloudflare";
 * import { assertEquals } from "@std/assert";
 *
 * const Game = defineObject({
 *   name: "game",
 *   vsn: 1,
 *   state: () => ({ moves: 0 }),
 *   handlers: { move: ({ state }) => ++state.moves },
 * });
 * type Env = { readonly OBJECTS: DurableObjectNamespaceLike };
 *
 * // Export it.
 * const HoldfastObjects = durableObjectHost({ objects: [Game], binding: (env: Env) => env.OBJECTS });
 * assertEquals(typeof HoldfastObjects.prototype.alarm, "function");
 * ```
 */
export function durableObjectHost<E>(options: DurableObjectHostOptions<E>): DurableObjectHost<E> {
  checkOptions(options);
  return class extends Host<E> {
    constructor(ctx: DurableObjectHostContext, env: E) {
      super(ctx, env, options);
    }
  };
}

function checkOptions<E>(options: DurableObjectHostOptions<E>): void {
  checkKnown(options, optionNames, "host objects");
  const { objects, binding, ids, limits, alarmTries } = options;
  if (!Array.isArray(objects)) {
    throw wrongArgument('Cannot host objects: "objects" is not a list of definitions');
  }
  if (typeof binding !== "function") {
    throw wrongArgument('Cannot host objects: "binding" is not a function');
  }
  if (ids !== undefined && typeof ids !== "function") {
    throw wrongArgument('Cannot host objects: "ids" is not a function');
  }
  checkTries(alarmTries);
  const directory = directoryOf(checkLimits(limits));
  for (const definition of objects) directory.register(definition);
}

/** Where hosted objects are stored, and how long their calls may take. */
export function directoryOf({ callTimeoutMs }: Pick<HoldfastLimits, "callTimeoutMs">): Directory {
  return new Directory(namespace, webClock(), callTimeoutMs);
}

/** One object in a Durable Object. */
class Host<E> {
  readonly #ctx: DurableObjectHostContext;
  readonly #records: Records;
  readonly #wake: Wake;
  readonly #objects: ObjectHost;

  constructor(ctx: DurableObjectHostContext, env: E, options: DurableObjectHostOptions<E>) {
    this.#ctx = ctx;
    const clock = webClock();
    const random = webRandom();
    this.#records = new Records(ctx.storage.sql, random);
    this.#wake = new Wake(namespace, {
      alarm: ctx.storage,
      list: (prefix, limit) => this.#records.list(prefix, "", limit),
      now: () => clock.now(),
    });
    const notes = options.ids?.(env);
    const storage = new HostStorage(
      new OwnStorage(this.#records),
      this.#wake,
      notes && new Ids(notes),
    );
    const listeners = new Listeners(options.telemetry);
    const ports = enginePorts({ storage, clock, random }, listeners);
    const limits = checkLimits(options.limits);
    const binding = options.binding(env);
    const way = new Way({ binding, directory: directoryOf(limits), clock });
    const alarms = { pollEveryMs, tries: checkTries(options.alarmTries) };
    const router = new HostRouter(way);
    this.#objects = objectHost(ports, namespace, limits, alarms, options.objects, router);
    // Whoever sets an alarm later hears what is wrong.
    this.#wake.begin().catch(() => {});
  }

  async fetch(request: Request): Promise<Response> {
    const asked = readAsked(await request.text());
    if (asked === undefined) {
      return Response.json({ kind: "refused" } satisfies Answer, { status: 400 });
    }
    return Response.json(await this.#answer(asked));
  }

  async alarm(): Promise<void> {
    await this.#wake.run(() => this.#objects.objects.fireDue());
    await this.#leave();
  }

  #answer(asked: HostAsked): Promise<Answer> {
    if (!("look" in asked)) return runErrand(asked, this.#objects);
    const { look, className, objectId } = asked;
    return answerOf(
      `${look} of object "${className}"`,
      () => this.#objects.objects[look](className, objectId),
    );
  }

  /** A Durable Object whose object was deleted, and the mark of that with it, ends as well. */
  async #leave(): Promise<void> {
    if (this.#records.list("", "", 1).length > 0) return;
    this.#records.forget();
    await this.#ctx.storage.deleteAll();
  }
}

/** Takes what the hosted object calls to where it is hosted. */
class HostRouter implements Router {
  readonly #way: Way;

  constructor(way: Way) {
    this.#way = way;
  }

  route(errand: Errand, run: (fresh: boolean) => Promise<unknown>): Promise<unknown> {
    // Only the object that is hosted here calls from here.
    const caller = errand.chain.at(-1);
    return caller === errand.key ? run(false) : this.#way.send(errand);
  }

  owns(): boolean {
    return true;
  }

  serves(): void {
    // Each object is where its id says, whichever classes there are.
  }
}
