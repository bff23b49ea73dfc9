import type { JsonObject } from "../core/json.ts";
import { decodeId, encodeId, encodeIdPrefix } from "../core/key.ts";
import type { Directory } from "./directory.ts";
import type { Engine } from "./engine.ts";
import type { AnyObjectDefinition, ParkedAlarm, ScheduledAlarm } from "./model.ts";
import { listAlarms, listParked, readObject } from "./stored.ts";
import type { Current } from "./types.ts";
import { checkKnown, type OptionNames } from "../core/options.ts";

/** Options of {@linkcode Objects.list}. */
export interface ListObjectsOptions {
  /** Only ids that come after this one in the order of the list. */
  readonly after?: string;
  /** Most ids to look at, 1 to 1000. @default {100} */
  readonly limit?: number;
  /** Only ids that begin with this text. @default {""} */
  readonly prefix?: string;
}

/** A part of the ids of a class. */
export interface ObjectPage {
  /** Ids in the order of their keys in storage. */
  readonly ids: readonly string[];
  /** Where the next part begins (`after`); `undefined` after the last. */
  readonly next: string | undefined;
}

/** The alarms of one object. */
export interface ObjectAlarms {
  /** Those that are set, in order of time. */
  readonly scheduled: readonly ScheduledAlarm[];
  /** Those that failed too often; they wait to be set again or cancelled. */
  readonly parked: readonly ParkedAlarm[];
}

/** What is stored of one object. */
export interface StoredSnapshot extends ObjectAlarms {
  /** Version of the definition that wrote it. */
  readonly vsn: number;
  /** The state in the shape of that version. */
  readonly state: JsonObject;
}

/** What {@linkcode Objects.fireDue} did. */
export interface FireReport {
  /** Alarms whose effect is durable. */
  readonly fired: number;
  /** Tries that failed; those alarms are tried again later, or parked. */
  readonly failed: number;
}

/** Looks after the objects of a class as a whole. Classes are given by definition or name. */
export interface Objects {
  /** Lists the ids under which something is stored, a part at a time. */
  list(target: AnyObjectDefinition | string, options?: ListObjectsOptions): Promise<ObjectPage>;
  /** Tells whether anything is stored under an id. */
  exists(target: AnyObjectDefinition | string, id: string): Promise<boolean>;
  /** Reads what is stored of an object as it is, without waking it; `undefined` for nothing. */
  peek(target: AnyObjectDefinition | string, id: string): Promise<StoredSnapshot | undefined>;
  /** Tells which alarms an object has. */
  alarms(target: AnyObjectDefinition | string, id: string): Promise<ObjectAlarms>;
  /**
   * Fires one alarm now, whatever its time, also a parked one; `false` if it is not set.
   *
   * @throws What its handler throws: it is then tried again, or parked, as after any failure.
   */
  fire(target: AnyObjectDefinition | string, id: string, alarm: string): Promise<boolean>;
  /**
   * Fires everything that is due, of the classes in use, and what that sets for now. Runs by itself
   * all the time; of use where a process does not live between requests.
   */
  fireDue(): Promise<FireReport>;
  /**
   * Deletes an object and its alarms; `false` if there was nothing. Calls are refused with
   * `ERR_DELETED` for an hour, in which no late write can bring it back; after that the id is new.
   */
  delete(target: AnyObjectDefinition | string, id: string): Promise<boolean>;
  /** Lets an object leave memory when it has done what it has to do, after its `onShutdown`. */
  stop(target: AnyObjectDefinition | string, id: string): Promise<void>;
  /**
   * Loads an object into memory, `afterLoad` included, so that the first call finds it ready. Also ends
   * the rest of one that has kept failing to start (`ERR_COOLING_DOWN`).
   *
   * @throws What its `afterLoad` or `migrate` fails with.
   */
  start(target: AnyObjectDefinition | string, id: string): Promise<void>;
  /**
   * Keeps calls and alarms from an object, or from all of a class, for maintenance: calls are refused
   * with `ERR_CORDONED`, alarms wait. In this process and until `uncordon()`.
   *
   * @returns Resolves when what was accepted before is done and the objects have left memory.
   */
  cordon(target: AnyObjectDefinition | string, id?: string): Promise<void>;
  /** Takes a cordon back; `false` if there was none of exactly this. */
  uncordon(target: AnyObjectDefinition | string, id?: string): boolean;
}

const listNames: OptionNames<ListObjectsOptions> = {
  after: "a string",
  limit: "a number",
  prefix: "a string",
};

/** Records looked at at the same time by a listing. */
const parallelReads = 16;

/** Looks at objects from outside, in the store, without keeping any in memory. */
export class Inventory implements Pick<Objects, "list" | "exists" | "peek" | "alarms"> {
  readonly #directory: Directory;
  readonly #engine: Engine;

  constructor(directory: Directory, engine: Engine) {
    this.#directory = directory;
    this.#engine = engine;
  }

  async list(
    target: AnyObjectDefinition | string,
    options: ListObjectsOptions = {},
  ): Promise<ObjectPage> {
    checkKnown(options, listNames, "list objects");
    const { after, limit = 100, prefix: beginning = "" } = options;
    const { prefix } = this.#directory.find(target);
    const keys = await this.#engine.list(prefix + encodeIdPrefix(beginning), {
      limit,
      ...(after === undefined ? {} : { after: prefix + encodeId(after) }),
    });
    const living = await this.#living(keys);
    const idOf = (key: string) => decodeId(key.slice(prefix.length));
    const ids = keys.filter((key) => living.has(key)).map(idOf).filter((id) => id !== undefined);
    const last = keys.at(-1);
    return { ids, next: keys.length < limit || last === undefined ? undefined : idOf(last) };
  }

  async exists(target: AnyObjectDefinition | string, id: string): Promise<boolean> {
    return (await this.#peek(target, id)).state !== undefined;
  }

  async alarms(target: AnyObjectDefinition | string, id: string): Promise<ObjectAlarms> {
    const { scheduled = [], parked = [] } = await this.peek(target, id) ?? {};
    return { scheduled, parked };
  }

  async peek(
    target: AnyObjectDefinition | string,
    id: string,
  ): Promise<StoredSnapshot | undefined> {
    const { state } = await this.#peek(target, id);
    if (state === undefined) return undefined;
    const { vsn, user, alarms, parked } = readObject(state);
    return { vsn, state: user, scheduled: listAlarms(alarms), parked: listParked(parked) };
  }

  async #peek(target: AnyObjectDefinition | string, id: string): Promise<Current> {
    const current = await this.#engine.peek(this.#directory.key(this.#directory.find(target), id));
    if (current.problem !== undefined) throw current.problem;
    return current;
  }

  /** Those that are not the mark of a deleted object, which is listed like any record. */
  async #living(keys: readonly string[]): Promise<ReadonlySet<string>> {
    const living = new Set<string>();
    const next = keys.values();
    const work = async () => {
      for (const key of next) {
        const { state, problem } = await this.#engine.peek(key);
        if (state !== undefined || problem !== undefined) living.add(key);
      }
    };
    await Promise.all(Array.from({ length: parallelReads }, work));
    return living;
  }
}
