import { wrongArgument } from "../core/options.ts";
import { HoldfastError } from "../core/errors.ts";
import { decodeId, encodeId } from "../core/key.ts";
import type { Clock } from "../ports/clock.ts";
import type { AnyObjectDefinition } from "./model.ts";
import type { ObjectClass } from "./residents.ts";
import { TimeLimits } from "./time_limit.ts";

/** The classes a process knows, by name, and where their objects are stored. */
export class Directory {
  readonly #classes: Map<string, ObjectClass> = new Map();
  readonly #root: string;
  readonly #clock: Clock;
  readonly #callTimeoutMs: number;

  /** @param callTimeoutMs Time limit of calls for classes that have none of their own. */
  constructor(namespace: string, clock: Clock, callTimeoutMs: number) {
    this.#root = `${namespace}/object/`;
    this.#clock = clock;
    this.#callTimeoutMs = callTimeoutMs;
  }

  /** All classes, in order of registration. */
  get classes(): Iterable<ObjectClass> {
    return this.#classes.values();
  }

  /** How many classes there are. */
  get size(): number {
    return this.#classes.size;
  }

  /**
   * Takes a definition in; the same one again is no change.
   *
   * @throws {TypeError} If it is not a definition, or another one has its name.
   */
  register(definition: AnyObjectDefinition): ObjectClass {
    const spec = definition?.spec;
    if (typeof spec?.name !== "string" || !(spec.handlers instanceof Map)) {
      throw wrongArgument("Cannot use an object: its definition is not one of defineObject()");
    }
    const known = this.#classes.get(spec.name);
    if (known?.spec === spec) return known;
    if (known !== undefined) {
      throw wrongArgument(`Cannot use object "${spec.name}": another definition has this name`);
    }
    const limitMs = spec.callTimeoutMs ?? this.#callTimeoutMs;
    const cls: ObjectClass = {
      spec,
      prefix: `${this.#root}${spec.name}/`,
      limits: new TimeLimits(this.#clock, limitMs, `object "${spec.name}"`),
      awake: new Map(),
      asleep: new Map(),
      cancelSweep: undefined,
      sweepAt: Infinity,
    };
    this.#classes.set(spec.name, cls);
    return cls;
  }

  /**
   * Finds a class, by its definition or its name.
   *
   * @throws {HoldfastError} `ERR_UNKNOWN_CLASS` if no definition with this name was registered.
   */
  find(target: AnyObjectDefinition | string): ObjectClass {
    if (typeof target !== "string") return this.register(target);
    const cls = this.#classes.get(target);
    if (cls !== undefined) return cls;
    throw new HoldfastError(
      "ERR_UNKNOWN_CLASS",
      `Cannot use object ${JSON.stringify(target)}: no definition with this name was registered`,
    );
  }

  /** Whether a class of this name was registered. */
  has(name: string): boolean {
    return this.#classes.has(name);
  }

  /** The key of an object. Throws as {@linkcode encodeId} does. */
  key(cls: ObjectClass, id: string): string {
    return cls.prefix + encodeId(id);
  }

  /** The name of the class in a key. */
  classOf(key: string): string {
    return key.slice(this.#root.length, key.indexOf("/", this.#root.length));
  }

  /** What follows the root in a key: the class and the encoded id. */
  place(key: string): string {
    return key.slice(this.#root.length);
  }

  /** Finds the object of a place; `undefined` if this process does not know its class. */
  at(
    place: string,
  ): { readonly cls: ObjectClass; readonly id: string; readonly key: string } | undefined {
    const [name = "", segment = ""] = place.split("/");
    const cls = this.#classes.get(name);
    const id = decodeId(segment);
    if (cls === undefined || id === undefined) return undefined;
    return { cls, id, key: cls.prefix + segment };
  }
}
