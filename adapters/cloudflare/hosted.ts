import { HoldfastError } from "../../src/core/errors.ts";
import { decodeId, encodeId, encodeIdPrefix } from "../../src/core/key.ts";
import type { CallOptions } from "../../src/object/calls.ts";
import type { Directory } from "../../src/object/directory.ts";
import type {
  ListObjectsOptions,
  ObjectAlarms,
  ObjectPage,
  StoredSnapshot,
} from "../../src/object/inventory.ts";
import type {
  AnyObjectDefinition,
  ObjectClient,
  ObjectDefinition,
} from "../../src/object/model.ts";
import type { ObjectClass } from "../../src/object/residents.ts";
import type { Operation } from "../../src/object/router.ts";
import type { Storage } from "../../src/ports/storage.ts";
import { webClock } from "../web/clock.ts";
import { checkLimits } from "../web/limits.ts";
import { type Look, Way } from "./errands.ts";
import { directoryOf } from "./host.ts";
import type { DurableObjectNamespaceLike } from "./platform.ts";
import { checkKnown, type OptionNames, wrongArgument } from "../../src/core/options.ts";

/** Options of {@linkcode hostedObjects}. */
export interface HostedObjectsOptions {
  /**
   * The storage in which the host notes the ids of all objects; the same as that of
   * `durableObjectHost()`. @default none: `list()` is refused
   */
  readonly ids?: Storage;
  /**
   * Milliseconds a call may take whose definition says nothing else, 10 to 3,600,000; the same as that of
   * the host, which sees to it. Whoever calls gives up a second later. @default {30000}
   */
  readonly callTimeoutMs?: number;
}

const optionNames: OptionNames<HostedObjectsOptions> = { ids: ".list", callTimeoutMs: true };

/** Objects that Durable Objects host, as a Worker sees them. */
export interface HostedObjects {
  /**
   * Makes a client of one object. Reads nothing until it is called, and may be made anew for each use.
   *
   * @param id Any Unicode text of 1 to 512 bytes of UTF-8.
   * @throws {TypeError} If the definition is none, or the id is not well-formed text.
   * @throws {RangeError} If the id is empty or too long.
   */
  object<S extends object, H>(
    definition: ObjectDefinition<S, H>,
    id: string,
    options?: CallOptions,
  ): ObjectClient<H>;
  /** Tells whether anything is stored under an id. */
  exists(definition: AnyObjectDefinition, id: string): Promise<boolean>;
  /** Reads what is stored of an object as it is, without waking it; `undefined` for nothing. */
  peek(definition: AnyObjectDefinition, id: string): Promise<StoredSnapshot | undefined>;
  /** Tells which alarms an object has. */
  alarms(definition: AnyObjectDefinition, id: string): Promise<ObjectAlarms>;
  /**
   * Fires one alarm now, whatever its time, also a parked one; `false` if it is not set.
   *
   * @throws What its handler throws: it is then tried again, or parked, as after any failure.
   */
  fire(definition: AnyObjectDefinition, id: string, alarm: string): Promise<boolean>;
  /**
   * Deletes an object and its alarms; `false` if there was nothing. Calls are refused with
   * `ERR_DELETED` for an hour, in which no late write can bring it back; after that the id is new.
   */
  delete(definition: AnyObjectDefinition, id: string): Promise<boolean>;
  /**
   * Lists the ids under which something is stored, a part at a time: those that are noted, each of which
   * is then asked for.
   *
   * @throws {HoldfastError} `ERR_REFUSED` without `ids`: each object is in a storage of its own, and
   * nothing on Cloudflare knows the names of all Durable Objects of a class.
   */
  list(definition: AnyObjectDefinition, options?: ListObjectsOptions): Promise<ObjectPage>;
}

/** Objects asked at the same time by a listing: a Worker has six connections. */
const parallel = 6;

/**
 * Makes the way to the objects that Durable Objects of a class made by {@linkcode durableObjectHost}
 * host: one of them for each class and id of an object, wherever the call comes from. What a handler
 * throws arrives with its name, message and code; arguments and replies cross as JSON.
 *
 * It holds nothing: make it inside of each request, or once.
 *
 * @param binding The binding to that class: `env.OBJECTS`.
 * @param options Where their ids are noted.
 * @returns The objects.
 * @throws {TypeError} If there is no binding, or `ids` is not a storage.
 * @throws {RangeError} If the time is out of range.
 *
 * @example In a Worker
 * ```ts ignore
 * import { hostedObjects } from "@holdfast/holdfast/cloudflare";
 *
 * export default {
 *   async fetch(request: Request, env: Env): Promise<Response> {
 *     const game = hostedObjects(env.OBJECTS).object(Game, "1");
 *     return Response.json(await game.move());
 *   },
 * };
 * ```
 */
export function hostedObjects(
  binding: DurableObjectNamespaceLike,
  options: HostedObjectsOptions = {},
): HostedObjects {
  if (typeof binding?.idFromName !== "function" || typeof binding.get !== "function") {
    throw wrongArgument("Cannot reach objects: there is no binding to a Durable Object");
  }
  checkKnown(options, optionNames, "reach objects");
  const { ids, callTimeoutMs } = options;
  if (ids !== undefined && typeof ids?.list !== "function") {
    throw wrongArgument('Cannot reach objects: "ids" is not a storage');
  }
  const directory = directoryOf(
    checkLimits(callTimeoutMs === undefined ? {} : { callTimeoutMs }),
  );
  return new Hosted(directory, new Way({ binding, directory, clock: webClock() }), ids);
}

class Hosted implements HostedObjects {
  readonly #directory: Directory;
  readonly #way: Way;
  readonly #ids: Storage | undefined;

  constructor(directory: Directory, way: Way, ids: Storage | undefined) {
    this.#directory = directory;
    this.#way = way;
    this.#ids = ids;
  }

  object<S extends object, H>(
    definition: ObjectDefinition<S, H>,
    id: string,
    options: CallOptions = {},
  ): ObjectClient<H> {
    const cls = this.#directory.register(definition);
    const key = this.#directory.key(cls, id);
    const send = (operation: Operation, handler: string, args: readonly unknown[]) =>
      this.#way.send({ operation, cls, id, key, handler, args, options, chain: [] });
    const client: Record<string, unknown> = {
      id,
      flush: async () => void await send("flush", "", []),
    };
    for (const name of cls.spec.handlers.keys()) {
      client[name] = (...args: readonly unknown[]) => send("call", name, args);
    }
    // Built from the definition whose type says what it is.
    return Object.freeze(client) as unknown as ObjectClient<H>;
  }

  async exists(definition: AnyObjectDefinition, id: string): Promise<boolean> {
    return await this.#look("exists", definition, id) === true;
  }

  async peek(definition: AnyObjectDefinition, id: string): Promise<StoredSnapshot | undefined> {
    // What the host of the object says is what there is.
    return await this.#look("peek", definition, id) as StoredSnapshot | undefined;
  }

  async alarms(definition: AnyObjectDefinition, id: string): Promise<ObjectAlarms> {
    return await this.#look("alarms", definition, id) as ObjectAlarms;
  }

  async fire(definition: AnyObjectDefinition, id: string, alarm: string): Promise<boolean> {
    return await this.#operate("fire", definition, id, alarm) === true;
  }

  async delete(definition: AnyObjectDefinition, id: string): Promise<boolean> {
    return await this.#operate("delete", definition, id, "") === true;
  }

  async list(
    definition: AnyObjectDefinition,
    { after, limit = 100, prefix: beginning = "" }: ListObjectsOptions = {},
  ): Promise<ObjectPage> {
    const cls = this.#directory.register(definition);
    if (this.#ids === undefined) throw notNoted(cls);
    const { prefix } = cls;
    const keys = await this.#ids.list(prefix + encodeIdPrefix(beginning), {
      limit,
      ...(after === undefined ? {} : { after: prefix + encodeId(after) }),
    });
    const noted = keys.map((key) => decodeId(key.slice(prefix.length)));
    const living = await this.#living(definition, noted);
    return { ids: living, next: keys.length < limit ? undefined : noted.at(-1) };
  }

  /** Those of the noted ids under which there is something. */
  async #living(
    definition: AnyObjectDefinition,
    noted: readonly (string | undefined)[],
  ): Promise<readonly string[]> {
    const living = new Set<string>();
    const next = noted.values();
    const work = async () => {
      for (const id of next) {
        if (id !== undefined && await this.exists(definition, id)) living.add(id);
      }
    };
    await Promise.all(Array.from({ length: parallel }, work));
    return noted.filter((id) => id !== undefined && living.has(id)) as string[];
  }

  async #look(look: Look, definition: AnyObjectDefinition, id: string): Promise<unknown> {
    const cls = this.#directory.register(definition);
    return await this.#way.look(look, cls, id, this.#directory.key(cls, id));
  }

  async #operate(
    operation: Operation,
    definition: AnyObjectDefinition,
    id: string,
    handler: string,
  ): Promise<unknown> {
    const cls = this.#directory.register(definition);
    const key = this.#directory.key(cls, id);
    const rest = { handler, args: [], options: {}, chain: [] };
    return await this.#way.send({ operation, cls, id, key, ...rest });
  }
}

function notNoted({ spec: { name } }: ObjectClass): HoldfastError {
  return new HoldfastError(
    "ERR_REFUSED",
    `Cannot list object "${name}": each is in a storage of its own, and no storage was given as "ids" ` +
      "in which they are noted",
  );
}
