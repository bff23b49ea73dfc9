import { StorageUnavailableError } from "../../../src/core/errors.ts";
import type { DeleteResult, PutOptions, PutResult, Storage } from "../../../src/ports/storage.ts";
import type { Endpoint, Network } from "./network.ts";
import type { SimulatedStore } from "./store.ts";

/** One call to the store as it is under way. */
interface Request<T> {
  readonly what: string;
  readonly key: string;
  readonly options: PutOptions;
  readonly run: () => T;
}

/** Told of what happens on the way: who asked, what, about which key, and what became of it. */
export type OnMessage = (node: string, what: string, key: string, outcome: string) => void;

/** How a node reaches the store. */
export interface LinkOptions {
  readonly network: Network;
  readonly store: SimulatedStore;
  readonly storeEnd: Endpoint;
  readonly node: Endpoint;
  readonly onMessage: OnMessage;
  /** Reads need no waiting, as with a database in the process. */
  readonly local: boolean;
}

/** The store as one node sees it, over a network. */
export function linkedStorage(options: LinkOptions): Storage {
  const { store } = options;
  const link = new Link(options);
  const storage: Storage = {
    get: (key, given = {}) =>
      link.call({ what: "get", key, options: given, run: () => store.get(key) }),
    put: (key, value, given = {}) =>
      link.call({ what: "put", key, options: given, run: () => store.put(key, value, given) }),
    delete: (key, given = {}) =>
      link.call({ what: "delete", key, options: given, run: () => store.delete(key, given) }),
    list: (prefix, given = {}) =>
      link.call({
        what: "list",
        key: prefix,
        options: given,
        run: () => store.list(prefix, given),
      }),
  };
  if (!options.local) return storage;
  return {
    ...storage,
    getSync: (key) => link.now("get", () => store.get(key)),
    putSync: (key, value, given = {}) => link.putNow(key, value, given),
  };
}

class Link {
  readonly #on: LinkOptions;

  constructor(options: LinkOptions) {
    this.#on = options;
  }

  /** Does something at once, or throws as a database does that is busy. */
  now<T>(what: string, run: () => T): T {
    const { network, node, storeEnd } = this.#on;
    const failed = node.cut || storeEnd.cut || network.strikes("refuse");
    if (failed) throw failure(what, "none");
    return run();
  }

  putNow(key: string, value: string, options: PutOptions): PutResult {
    const { store } = this.#on;
    const result = this.now("put", (): PutResult => {
      if (!isConditional(options) || !this.#collides()) return store.put(key, value, options);
      return { ok: false, found: store.get(key)?.etag ?? null };
    });
    this.#on.onMessage(this.#on.node.name, "puts", key, outcomeOf(result));
    return result;
  }

  call<T>(request: Request<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const { signal } = request.options;
      if (!this.#on.node.alive) return;
      if (signal?.aborted) return reject(signal.reason);
      // What was sent may arrive all the same.
      const onAbort = () => reject(signal?.reason);
      signal?.addEventListener("abort", onAbort, { once: true });
      const heard = () => signal?.removeEventListener("abort", onAbort);
      this.#send(request, (value) => {
        heard();
        resolve(value);
      }, (error) => {
        heard();
        reject(error);
      });
    });
  }

  #send<T>(
    request: Request<T>,
    resolve: (value: T) => void,
    reject: (error: Error) => void,
  ): void {
    const { network, node, storeEnd } = this.#on;
    const answer = (deliver: () => void) => network.send(storeEnd, node, deliver);
    const fail = (outcome: "none" | "unknown", fault: string) => {
      this.#tell(request, fault);
      // Heard at once, without the network: it is the socket that says so.
      network.scheduler.after(network.latencyMs(), () => {
        if (node.alive) reject(failure(request.what, outcome));
      });
    };
    const arrive = (hear: boolean) => {
      const value = request.run();
      this.#tell(request, outcomeOf(value));
      if (hear) answer(() => resolve(value));
    };
    if (node.cut || storeEnd.cut) {
      // Some find out that nobody is there, others wait until they lose patience.
      if (network.lot() < 0.5) fail("none", "unreachable");
      return;
    }
    if (network.strikes("refuse")) return fail("none", "refused");
    if (network.strikes("loseRequest")) {
      if (network.lot() < 0.5) fail("unknown", "lost on the way");
      return;
    }
    if (isConditional(request.options) && this.#collides()) {
      return network.send(node, storeEnd, () => {
        const found = this.#on.store.get(request.key)?.etag ?? null;
        this.#tell(request, "collided");
        const lost: PutResult & DeleteResult = { ok: false, found };
        answer(() => resolve(lost as T));
      });
    }
    this.#deliver(arrive, fail);
  }

  /** It arrives: once, twice, late, heard of or not. */
  #deliver(
    arrive: (hear: boolean) => void,
    fail: (outcome: "unknown", fault: string) => void,
  ): void {
    const { network, node, storeEnd } = this.#on;
    const send = (hear: boolean, delayMs?: number) =>
      network.send(node, storeEnd, () => arrive(hear), delayMs);
    if (network.strikes("stray")) return send(false, 200 + network.lot() * 5000);
    if (network.strikes("loseAnswer")) {
      const told = network.lot() < 0.5;
      return network.send(node, storeEnd, () => {
        arrive(false);
        if (told) fail("unknown", "its answer lost");
      });
    }
    if (!network.strikes("duplicate")) return send(true);
    // A lost race means that nothing was written (SPEC ST3): the first answer is the one that counts.
    let arrived = false;
    const once = () => {
      arrive(!arrived);
      arrived = true;
    };
    network.send(node, storeEnd, once);
    network.send(node, storeEnd, once, network.latencyMs() + network.lot() * 300);
  }

  #collides(): boolean {
    const { network } = this.#on;
    return network.colliding && network.stormy ? network.lot() < 0.7 : network.strikes("conflict");
  }

  #tell({ what, key }: Request<unknown>, outcome: string): void {
    this.#on.onMessage(this.#on.node.name, what, key, outcome);
  }
}

function outcomeOf(value: unknown): string {
  if (value === undefined) return "absent";
  return typeof value === "object" && value !== null && "ok" in value && value.ok === false
    ? "conflict"
    : "ok";
}

function isConditional({ ifMatch, ifNoneMatch }: PutOptions): boolean {
  return ifMatch !== undefined || ifNoneMatch !== undefined;
}

function failure(what: string, outcome: "none" | "unknown"): StorageUnavailableError {
  return new StorageUnavailableError(`Cannot ${what}: a simulated fault`, outcome);
}
