/**
 * Shows a JSON object or array that cannot be changed through it. Parts are shown the same way, each
 * as one object.
 */
export function readOnlyView<T extends object>(base: T): T {
  return new Proxy(base, new View()) as T;
}

function refuse(): never {
  throw new TypeError("Cannot change the state: the handler is read-only");
}

class View implements ProxyHandler<object> {
  /** Made with the first part that is read. */
  #parts: Map<object, object> | undefined;

  get(target: object, key: PropertyKey): unknown {
    if (!Object.hasOwn(target, key)) {
      // As in a draft: no key from outside leads to a prototype.
      if (key === "__proto__" || key === "constructor") return undefined;
      return Reflect.get(target, key);
    }
    return this.#part((target as Record<PropertyKey, unknown>)[key]);
  }

  getOwnPropertyDescriptor(target: object, key: PropertyKey): PropertyDescriptor | undefined {
    const found = Reflect.getOwnPropertyDescriptor(target, key);
    return found === undefined ? undefined : { ...found, value: this.#part(found.value) };
  }

  set(): never {
    return refuse();
  }

  deleteProperty(): never {
    return refuse();
  }

  defineProperty(): never {
    return refuse();
  }

  setPrototypeOf(): never {
    return refuse();
  }

  preventExtensions(): never {
    return refuse();
  }

  #part(value: unknown): unknown {
    if (typeof value !== "object" || value === null) return value;
    this.#parts ??= new Map();
    let part = this.#parts.get(value);
    if (part === undefined) {
      part = new Proxy(value, this);
      this.#parts.set(value, part);
    }
    return part;
  }
}
