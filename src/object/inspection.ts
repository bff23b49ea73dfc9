import { HoldfastError } from "../core/errors.ts";
import type { JsonObject } from "../core/json.ts";
import type { Clock } from "../ports/clock.ts";
import type { AlarmIndex } from "./alarm_index.ts";
import type { Cordons } from "./cordons.ts";
import type { Directory } from "./directory.ts";
import type { Engine } from "./engine.ts";
import type { StoredSnapshot } from "./inventory.ts";
import { logReference } from "./types.ts";
import { listAlarms, listParked, readObject } from "./stored.ts";

/** A class of objects as this process has it. */
export interface ClassView {
  /** Name of its definition. */
  readonly name: string;
  /** Version of its definition. */
  readonly vsn: number;
  /** Objects whose state is in memory. */
  readonly awake: number;
  /** Objects whose state has left memory, but that are not shut down. */
  readonly asleep: number;
}

/** One object: what is stored, and how it is doing in this process. */
export interface ObjectView {
  /** What is stored; `undefined` if nothing is, it was deleted, or it cannot be read. */
  readonly stored: StoredSnapshot | undefined;
  /** How many writes the record has seen; 0 if there is none. */
  readonly rev: number;
  /** When it was deleted, in ms since the epoch; `undefined` while it lives. */
  readonly deletedAt: number | undefined;
  /** Why the record cannot be used, if that is the case. */
  readonly problem: HoldfastError | undefined;
  /** Whether its state is in memory here, has left it, or the object is not here at all. */
  readonly memory: "awake" | "asleep" | "absent";
  /** Calls that run or wait for their turn. */
  readonly waiting: number;
  /** Calls that are done, and whose answer waits until it is durable. */
  readonly held: number;
  /** Whether it takes no calls in this process for the time being. */
  readonly cordoned: boolean;
}

/** What the inspection stands on. */
export interface InspectionPorts {
  readonly clock: Clock;
  readonly directory: Directory;
  readonly engine: Engine;
  readonly index: AlarmIndex;
  readonly cordons: Cordons;
}

/**
 * Looks at objects and at what this process has of them: changes nothing, wakes nobody, and does not
 * count as a use.
 */
export class ObjectInspection {
  readonly #on: InspectionPorts;

  constructor(on: InspectionPorts) {
    this.#on = on;
  }

  /** The classes this process serves, by name. */
  classes(): readonly ClassView[] {
    return Array.from(this.#on.directory.classes, ({ spec, awake, asleep }) => ({
      name: spec.name,
      vsn: spec.vsn,
      awake: awake.size,
      asleep: asleep.size,
    })).sort((a, b) => a.name < b.name ? -1 : 1);
  }

  /**
   * Looks at one object.
   *
   * @throws {HoldfastError} `ERR_UNKNOWN_CLASS` if no definition with this name was registered.
   * @throws {StorageUnavailableError} If storage fails.
   */
  async object(name: string, id: string): Promise<ObjectView> {
    const { directory, engine, cordons } = this.#on;
    const cls = directory.find(name);
    const key = directory.key(cls, id);
    const { state, rev, ended, problem } = await engine.peek(key);
    const { waiting, held } = engine.load(key) ?? { waiting: 0, held: 0 };
    const found = state === undefined ? { stored: undefined, problem } : read(state);
    return {
      ...found,
      rev,
      deletedAt: ended,
      memory: cls.awake.has(key) ? "awake" : cls.asleep.has(key) ? "asleep" : "absent",
      waiting,
      held,
      cordoned: cordons.holds(key),
    };
  }

  /** The log reference of an object. */
  ref(name: string, id: string): string {
    const { directory } = this.#on;
    return logReference(directory.key(directory.find(name), id));
  }

  /**
   * Counts the alarms that are due now and have not fired, on all nodes together.
   *
   * @param limit Where counting ends, 1 to 1000.
   */
  async due(limit: number): Promise<number> {
    const { engine, index, clock } = this.#on;
    const now = clock.now();
    const keys = await engine.list(index.prefix, { limit });
    return keys.filter((key) => (index.read(key)?.due ?? Infinity) <= now).length;
  }
}

function read(state: JsonObject): Pick<ObjectView, "stored" | "problem"> {
  try {
    const { vsn, user, alarms, parked } = readObject(state);
    const scheduled = listAlarms(alarms);
    const stored = { vsn, state: user, scheduled, parked: listParked(parked) };
    return { stored, problem: undefined };
  } catch (error) {
    if (error instanceof HoldfastError) return { stored: undefined, problem: error };
    throw error;
  }
}
