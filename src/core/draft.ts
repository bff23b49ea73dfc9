import { isPlainArray, isPlainObject } from "./plain.ts";
import { type Container, type DraftNode, settle } from "./settle.ts";

/** A base being changed; see {@linkcode createDraft}. */
export interface Draft<T extends object> {
  /** Looks and behaves like the base; nothing written to it reaches the base. */
  readonly draft: T;
  /** Ends the draft and returns what it has become. */
  finish(): T;
  /** Ends the draft and forgets what was written; harmless after the end. */
  discard(): void;
}

/**
 * Makes a draft of a JSON object or array that must not change.
 *
 * Writes go to copies made on first write. `finish` returns the base itself if nothing changed in
 * value, and shares every part that did not. A draft may be assigned elsewhere in its tree and
 * fresh objects may be changed after they were assigned, as with plain data; after `finish`
 * nothing the handler still holds reaches the result. Values JSON cannot carry are left in the
 * result for `normalize` to refuse.
 *
 * Different from plain data: the inherited `__proto__` and `constructor` read as `undefined`, so
 * that no key from outside leads to a prototype; a draft cannot be frozen or given a prototype or
 * an accessor; `structuredClone` refuses it, as it does every proxy.
 *
 * @throws {TypeError} If the base is not a plain object or array, and from every use of the draft
 * after it ended.
 */
export function createDraft<T extends object>(base: T): Draft<T> {
  if (!(Array.isArray(base) ? isPlainArray(base) : isPlainObject(base))) {
    throw new TypeError("Cannot draft the state: it is neither a plain object nor an array");
  }
  return new Owner(base);
}

/** All drafts of one handler call; they end together. */
class Owner<T extends object> implements Draft<T> {
  readonly draft: T;
  readonly #root: Place;
  #places: Place[] | undefined = [];
  /** The places by their proxies: made for the first handler that assigned an object somewhere. */
  #byProxy: Map<object, Place> | undefined;

  constructor(base: T) {
    this.#root = this.open(base as Container);
    this.draft = this.#root.proxy as T;
  }

  finish(): T {
    this.check();
    try {
      return settle(this.#root, this) as T;
    } finally {
      this.discard();
    }
  }

  discard(): void {
    this.#places = undefined;
    this.#byProxy = undefined;
  }

  open(base: Container): Place {
    const place = new Place(this, base);
    this.check().push(place);
    return place;
  }

  /** Only while settling, when no more places are opened. */
  find(proxy: object): Place | undefined {
    this.#byProxy ??= new Map(this.#places?.map((place) => [place.proxy, place]));
    return this.#byProxy.get(proxy);
  }

  check(): Place[] {
    if (this.#places === undefined) {
      throw new TypeError("Cannot use the state: the handler that it was given to has ended");
    }
    return this.#places;
  }
}

/**
 * One object or array of the base at one place, with its proxy. Places, not objects, have drafts:
 * a base that holds one object twice reads as two, as it would after being stored.
 */
class Place implements DraftNode, ProxyHandler<object> {
  readonly base: Container;
  children: Map<string, Place> | undefined;
  readonly proxy: object;
  readonly #owner: Owner<object>;
  copy: Container | undefined;

  constructor(owner: Owner<object>, base: Container) {
    this.#owner = owner;
    this.base = base;
    // Never the base as target: a frozen one would bind what the traps may answer.
    this.proxy = new Proxy<object>(Array.isArray(base) ? [] : {}, this);
  }

  get(_: object, key: PropertyKey): unknown {
    const latest = this.#latest();
    if (Object.hasOwn(latest, key)) return this.#own(latest, key);
    // Two keys from outside would be enough to change Object.prototype or Object itself.
    if (key === "__proto__" || key === "constructor") return undefined;
    return Reflect.get(latest, key);
  }

  has(_: object, key: PropertyKey): boolean {
    return Reflect.has(this.#latest(), key);
  }

  ownKeys(): (string | symbol)[] {
    return Reflect.ownKeys(this.#latest());
  }

  getOwnPropertyDescriptor(_: object, key: PropertyKey): PropertyDescriptor | undefined {
    const latest = this.#latest();
    const found = Reflect.getOwnPropertyDescriptor(latest, key);
    if (found === undefined) return undefined;
    // The target lacks the property, so it must be configurable, except an array's own length.
    const configurable = !(key === "length" && Array.isArray(latest));
    const { enumerable = false } = found;
    return { value: this.#own(latest, key), writable: true, enumerable, configurable };
  }

  set(_: object, key: PropertyKey, value: unknown): boolean {
    const latest = this.#latest();
    if (Object.hasOwn(latest, key) && Object.is(this.#own(latest, key), value)) return true;
    const copy = this.#write();
    if (key !== "__proto__") return Reflect.set(copy, key, value);
    // As a key of its own it is refused by normalize, with its path; as a prototype it would not.
    const attributes = { enumerable: true, writable: true, configurable: true };
    return Reflect.defineProperty(copy, key, { ...attributes, value });
  }

  defineProperty(target: object, key: PropertyKey, property: PropertyDescriptor): boolean {
    const { configurable = true, enumerable = true, writable = true } = property;
    const plain = configurable && enumerable && writable && "value" in property;
    return plain && this.set(target, key, property.value);
  }

  deleteProperty(_: object, key: PropertyKey): boolean {
    if (!Object.hasOwn(this.#latest(), key)) return true;
    return Reflect.deleteProperty(this.#write(), key);
  }

  preventExtensions(): boolean {
    return false;
  }

  setPrototypeOf(): boolean {
    return false;
  }

  #latest(): Container {
    this.#owner.check();
    return this.copy ?? this.base;
  }

  #write(): Container {
    const { base } = this;
    this.copy ??= Array.isArray(base) ? base.slice() as unknown as Container : { ...base };
    return this.copy;
  }

  /** The value of an own property; a part of the base comes as the draft of its place. */
  #own(latest: Container, key: PropertyKey): unknown {
    if (typeof key !== "string") return (latest as Record<PropertyKey, unknown>)[key];
    const value = latest[key];
    if (typeof value !== "object" || value === null) return value;
    if (value !== this.base[key]) return value; // fresh, or a draft already
    this.children ??= new Map();
    let child = this.children.get(key);
    if (child === undefined) {
      child = this.#owner.open(value as Container);
      this.children.set(key, child);
    }
    return child.proxy;
  }
}
