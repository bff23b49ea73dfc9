import { isPlainArray, isPlainObject } from "./plain.ts";

/** An object or array of a draft, both read through string keys. */
export type Container = Record<string, unknown>;

/** One place of the base that a handler has looked at. */
export interface DraftNode {
  /** What was there; never changed. */
  readonly base: Container;
  /** What is there now, `undefined` until the first write. */
  readonly copy: Container | undefined;
  /** The places inside that were looked at; one counts while the base value is still there. */
  readonly children: ReadonlyMap<string, DraftNode> | undefined;
}

/** Finds the node behind a draft that was assigned somewhere. */
export interface Nodes {
  find(value: object): DraftNode | undefined;
}

/** Deeper than this, values stay as they are: `normalize` refuses them anyway. */
const maxDepth = 600;

/**
 * Turns a draft into plain data: drafts are replaced by what they stand for, and objects the
 * handler made by copies, so that nobody can change them afterwards. What did not change in value
 * at its place is the base's own object (SPEC DR3).
 */
export function settle(root: DraftNode, nodes: Nodes): object {
  const flat = root.children === undefined ? settleFlat(root) : undefined;
  return flat ?? new Settlement(nodes).node(root, 0);
}

/**
 * What most handlers do: they write texts and numbers into the state itself. The copy is then the
 * result, because nobody else holds it; `undefined` if there is more to it.
 */
function settleFlat({ base, copy }: DraftNode): object | undefined {
  if (copy === undefined) return base;
  let same = sameSize(copy, base);
  for (const key of slots(copy)) {
    const value = copy[key];
    const unchanged = value === base[key] && Object.hasOwn(base, key);
    if (!unchanged && typeof value === "object" && value !== null) return undefined;
    same &&= unchanged;
  }
  return same ? base : copy;
}

class Settlement {
  readonly #nodes: Nodes;
  /** The result for a node or a fresh object, registered before it is filled: cycles end here. */
  readonly #results = new Map<object, object>();
  /** Results that are not complete yet or not plain: equal to nothing. */
  readonly #odd = new Set<unknown>();

  constructor(nodes: Nodes) {
    this.#nodes = nodes;
  }

  node(node: DraftNode, depth: number): object {
    const known = this.#results.get(node);
    if (known !== undefined) return known;
    if (depth > maxDepth) return this.#leave(node, node.copy ?? node.base);
    const result = node.copy === undefined ? this.#read(node, depth) : this.#written(node, depth);
    this.#results.set(node, result);
    return result;
  }

  /** The handler wrote at most further inside. */
  #read(node: DraftNode, depth: number): object {
    const { base, children } = node;
    const changes: [string, unknown][] = [];
    for (const [key, child] of children ?? []) {
      const value = this.node(child, depth + 1);
      if (value !== base[key]) changes.push([key, value]);
    }
    if (changes.length === 0) return base;
    // A cycle led back here meanwhile; it goes through something written, so it came to an end.
    const known = this.#results.get(node);
    if (known !== undefined) return known;
    const result = emptyLike(base);
    for (const key of slots(base)) put(result, key, base[key]);
    for (const [key, value] of changes) put(result, key, value);
    return result;
  }

  #written(node: DraftNode, depth: number): object {
    const { base, children } = node;
    const copy = node.copy as Container;
    const result = this.#begin(node, copy);
    const keys = slots(copy);
    let same = sameSize(copy, base);
    for (const key of keys) {
      const child = copy[key] === base[key] ? children?.get(key) : undefined;
      const value = child === undefined
        ? this.#value(copy[key], depth + 1)
        : this.node(child, depth + 1);
      const unchanged = Object.hasOwn(base, key) && this.#equal(value, base[key]);
      same &&= unchanged;
      put(result, key, unchanged ? base[key] : value);
    }
    if (Array.isArray(result)) result.length = copy.length as number;
    this.#odd.delete(result);
    return same ? base : result;
  }

  #value(value: unknown, depth: number): unknown {
    if (typeof value !== "object" || value === null) return value;
    const node = this.#nodes.find(value);
    return node === undefined ? this.#fresh(value, depth) : this.node(node, depth);
  }

  #fresh(value: object, depth: number): object {
    const known = this.#results.get(value);
    if (known !== undefined) return known;
    try {
      if (depth > maxDepth || !isCopyable(value)) return this.#leave(value, value);
      const result = this.#begin(value, value);
      for (const key of slots(value)) put(result, key, this.#value(value[key], depth + 1));
      if (Array.isArray(result)) result.length = value.length as number;
      this.#odd.delete(result);
      return result;
    } catch {
      // A getter or a proxy threw: normalize will say where.
      return this.#leave(value, value);
    }
  }

  #begin(of: object, like: object): object {
    const result = emptyLike(like);
    this.#results.set(of, result);
    this.#odd.add(result);
    return result;
  }

  #leave(of: object, value: object): object {
    this.#results.set(of, value);
    this.#odd.add(value);
    return value;
  }

  /** Compares a result with a value of the base, which is plain and finite. */
  #equal(value: unknown, base: unknown): boolean {
    if (value === base) return true;
    if (typeof value !== "object" || typeof base !== "object") return false;
    if (value === null || base === null || this.#odd.has(value)) return false;
    return sameSize(value, base) &&
      slots(value).every((key) =>
        Object.hasOwn(base, key) && this.#equal((value as Container)[key], (base as Container)[key])
      );
  }
}

function emptyLike(value: object): object {
  return Array.isArray(value) ? [] : {};
}

/** Tells whether two values are of one kind and have as many slots, and arrays as many holes. */
function sameSize(a: object, b: object): boolean {
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  if (Array.isArray(a) && a.length !== (b as unknown[]).length) return false;
  return slots(a).length === slots(b).length;
}

function isCopyable(value: object): value is Container {
  return Array.isArray(value) ? isPlainArray(value) : isPlainObject(value);
}

/** Own keys of plain data; holes of an array have none. */
function slots(value: object): string[] {
  return Object.keys(value);
}

function put(target: object, key: string, value: unknown): void {
  if (key !== "__proto__") {
    (target as Container)[key] = value;
    return;
  }
  // An assignment would change the prototype; as a key of its own, normalize refuses it.
  Object.defineProperty(target, key, {
    value,
    enumerable: true,
    writable: true,
    configurable: true,
  });
}
