// Longer than 400 lines because whatever reaches an object goes through one host, on the same parts.
import { HoldfastError } from "../core/errors.ts";
import type { RetryPolicy } from "../core/retry.ts";
import { AlarmIndex } from "./alarm_index.ts";
import { type CallOptions, Calls } from "./calls.ts";
import { Cordons } from "./cordons.ts";
import { Directory } from "./directory.ts";
import { Engine } from "./engine.ts";
import { ObjectInspection } from "./inspection.ts";
import { Inventory, type Objects } from "./inventory.ts";
import type { AnyObjectDefinition } from "./model.ts";
import { Poller, type PollerSettings } from "./poller.ts";
import type { Operation, Router } from "./router.ts";
import { type Member, type ObjectClass, Residents } from "./residents.ts";
import { Failure, handlerTurn, startTurn, type TurnEnv } from "./turns.ts";
import { type DrainReport, type EngineLimits, type EnginePorts, logReference } from "./types.ts";
import { Visits } from "./visits.ts";

/** Settings of all objects of a process. */
export interface ObjectSettings {
  readonly namespace: string;
  readonly engine: Partial<EngineLimits>;
  /** Largest state of a record in bytes of its text. */
  readonly maxObjectBytes: number;
  /** Objects kept awake. */
  readonly maxAwake: number;
  /** Time limit of a call in milliseconds. */
  readonly callTimeoutMs: number;
  readonly poller: PollerSettings;
  /** When an alarm that failed is tried again. */
  readonly alarmRetry: RetryPolicy;
}

/** All objects of a process: calls, alarms, and who is in memory. */
export class ObjectHost {
  readonly #ports: EnginePorts;
  readonly #directory: Directory;
  readonly #engine: Engine;
  readonly #index: AlarmIndex;
  readonly #visits: Visits;
  readonly #poller: Poller;
  readonly #residents: Residents;
  readonly #calls: Calls;
  readonly #env: TurnEnv;
  readonly #inventory: Inventory;
  readonly #cordons: Cordons = new Cordons();
  readonly #router: Router | undefined;
  /** Looks at objects without touching them. */
  readonly inspection: ObjectInspection;
  #closing = false;

  /**
   * @param ports Their `emit` is asked for at each event: listeners come and go.
   * @param router Where calls are run, if there are other nodes.
   */
  constructor(ports: EnginePorts, settings: ObjectSettings, router?: Router) {
    const { clock } = ports;
    this.#ports = ports;
    this.#router = router;
    this.#directory = new Directory(settings.namespace, clock, settings.callTimeoutMs);
    this.#index = this.#makeIndex(settings);
    this.#engine = this.#makeEngine(settings);
    this.#env = this.#makeEnv(settings);
    this.#residents = new Residents({
      ports,
      engine: this.#engine,
      maxAwake: settings.maxAwake,
      hook: (member, name) => this.#hook(member, name),
      nextAlarm: ({ key }) => this.#poller.expected(this.#directory.place(key)),
    });
    this.#calls = new Calls({
      ports,
      engine: this.#engine,
      residents: this.#residents,
      cordons: this.#cordons,
      env: this.#env,
    });
    this.#visits = this.#makeVisits(settings);
    this.#poller = new Poller({
      ports,
      index: this.#index,
      list: (prefix, options) => this.#engine.list(prefix, options),
      visit: (place) => this.#visit(place),
    }, settings.poller);
    this.#inventory = new Inventory(this.#directory, this.#engine);
    this.inspection = new ObjectInspection({
      clock,
      directory: this.#directory,
      engine: this.#engine,
      index: this.#index,
      cordons: this.#cordons,
    });
  }

  /** Takes a definition in, and begins to look for alarms with the first. */
  register(definition: AnyObjectDefinition): ObjectClass {
    const cls = this.#directory.register(definition);
    if (!this.#closing) this.#poller.start();
    this.#router?.serves(cls.spec.name, cls.spec.vsn);
    return cls;
  }

  /** Whether calls of a class are taken at all; one that is part of an accepted call still is. */
  accepts(name: string, nested: boolean): boolean {
    return this.#directory.has(name) && (nested || !this.#closing);
  }

  /** Runs a call that another node has forwarded. */
  async run(
    name: string,
    id: string,
    handler: string,
    args: readonly unknown[],
    options: CallOptions,
    chain: readonly string[],
  ): Promise<unknown> {
    const cls = this.#directory.find(name);
    const key = this.#directory.key(cls, id);
    if (this.#closing && chain.length === 0) throw closed();
    return await this.#calls.make({ cls, id, key, handler, args, options, chain });
  }

  /** Does something else with an object that another node has forwarded. */
  async operate(
    operation: Exclude<Operation, "call">,
    name: string,
    id: string,
    alarm: string,
  ): Promise<unknown> {
    const cls = this.#directory.find(name);
    return await this.#operate(operation, cls, id, alarm);
  }

  /** Time limit of the calls of a class in milliseconds. */
  limitMs(name: string): number {
    return this.#directory.find(name).limits.limitMs;
  }

  /** Lets go of an object once it has nothing more to do. */
  async release(name: string, id: string): Promise<void> {
    const cls = this.#directory.find(name);
    await this.#residents.stop(cls, this.#directory.key(cls, id));
  }

  /** Lets go of every object that is not to be kept, and looks again for alarms. */
  moved(keep: (className: string, key: string) => boolean): void {
    if (this.#closing) return;
    // A hook that fails has told so; the object then stays, and storage decides who writes.
    this.#residents.stopUnless(keep).catch(() => {});
    this.#poller.reconsider();
  }

  /** Makes what callers see of an object. */
  client(definition: AnyObjectDefinition, id: string, options: CallOptions = {}): object {
    const cls = this.register(definition);
    const key = this.#directory.key(cls, id);
    const client: Record<string, unknown> = { id, flush: () => this.#flush(cls, id, key) };
    for (const name of cls.spec.handlers.keys()) {
      client[name] = (...args: readonly unknown[]) =>
        this.#call(cls, id, key, name, args, options, []);
    }
    return Object.freeze(client);
  }

  /** Calls a handler by name. */
  async call(
    target: AnyObjectDefinition | string,
    id: string,
    handler: string,
    args: readonly unknown[],
    options: CallOptions,
  ): Promise<unknown> {
    const cls = this.#directory.find(target);
    return await this.#call(cls, id, this.#directory.key(cls, id), handler, args, options, []);
  }

  /** What looks after objects from outside. */
  get objects(): Objects {
    const inventory = this.#inventory;
    return {
      list: (target, options) => inventory.list(target, options),
      exists: (target, id) => inventory.exists(target, id),
      peek: (target, id) => inventory.peek(target, id),
      alarms: (target, id) => inventory.alarms(target, id),
      fire: async (target, id, alarm) => await this.#route("fire", target, id, alarm) === true,
      fireDue: async () => {
        if (this.#closing) throw closed();
        const { fired, failed } = this.#visits.counts;
        await this.#poller.drain();
        const { counts } = this.#visits;
        return { fired: counts.fired - fired, failed: counts.failed - failed };
      },
      delete: async (target, id) => await this.#route("delete", target, id) === true,
      stop: async (target, id) => void await this.#route("stop", target, id),
      start: async (target, id) => void await this.#route("start", target, id),
      cordon: async (target, id) => {
        const { cls, key } = this.#place(target, id);
        this.#cordons.add(key ?? cls.prefix);
        await (key === undefined ? this.#residents.stopAll(cls) : this.#residents.stop(cls, key));
      },
      uncordon: (target, id) => {
        const { cls, key } = this.#place(target, id);
        const removed = this.#cordons.remove(key ?? cls.prefix);
        if (removed) this.#poller.reconsider();
        return removed;
      },
    };
  }

  #place(
    target: AnyObjectDefinition | string,
    id: string | undefined,
  ): { readonly cls: ObjectClass; readonly key: string | undefined } {
    const cls = this.#directory.find(target);
    return { cls, key: id === undefined ? undefined : this.#directory.key(cls, id) };
  }

  /** Has the owner of an object do something with it. */
  async #route(
    operation: Exclude<Operation, "call">,
    target: AnyObjectDefinition | string,
    id: string,
    alarm = "",
  ): Promise<unknown> {
    const cls = this.#directory.find(target);
    const key = this.#directory.key(cls, id);
    // What only waits, or lets go, is of use to the end.
    if (this.#closing && operation !== "flush" && operation !== "stop") throw closed();
    const run = () => this.#operate(operation, cls, id, alarm);
    if (this.#router === undefined) return await run();
    const rest = { handler: alarm, args: [], options: {}, chain: [] };
    return await this.#router.route({ operation, cls, id, key, ...rest }, run);
  }

  #operate(
    operation: Exclude<Operation, "call">,
    cls: ObjectClass,
    id: string,
    alarm: string,
  ): Promise<unknown> {
    const key = this.#directory.key(cls, id);
    switch (operation) {
      case "delete":
        return this.#delete(cls, key);
      case "fire":
        return this.#visits.fire(cls, id, key, alarm);
      case "flush":
        return this.#engine.flush(key);
      case "start":
        return this.#start(cls, id, key);
      case "stop":
        return this.#residents.stop(cls, key);
    }
  }

  /** Waits for what the owner has answered early, and for what this node has when it was the owner. */
  async #flush(cls: ObjectClass, id: string, key: string): Promise<void> {
    await this.#engine.flush(key);
    if (this.#router !== undefined) await this.#route("flush", cls.spec.name, id);
  }

  async #start(cls: ObjectClass, id: string, key: string): Promise<void> {
    const member = this.#residents.use(cls, id, key, true);
    member.trouble = undefined;
    const work = { chain: [], limit: cls.limits.limit(() => {}) };
    const reply = await this.#engine.run(key, startTurn(this.#env, member, work));
    if (reply instanceof Failure) throw reply.error;
  }

  /** Accepts nothing more, lets every object shut down, and waits until everything is durable. */
  async drain(withinMs: number): Promise<DrainReport> {
    const { clock } = this.#ports;
    const endsAt = clock.monotonic() + withinMs;
    const leftMs = () => Math.max(0, endsAt - clock.monotonic());
    this.#closing = true;
    this.#poller.stop();
    await this.#within(withinMs, this.#residents.shutdownAll());
    const report = await this.#engine.drain(leftMs(), true);
    await this.#within(leftMs(), this.#index.settled());
    return report;
  }

  async #within(ms: number, work: Promise<void>): Promise<void> {
    let cancel = () => {};
    const late = new Promise<void>((resolve) => {
      cancel = this.#ports.clock.timer(ms, resolve);
    });
    await Promise.race([work, late]);
    cancel();
  }

  #call(
    cls: ObjectClass,
    id: string,
    key: string,
    handler: string,
    args: readonly unknown[],
    options: CallOptions,
    chain: readonly string[],
  ): Promise<unknown> {
    // What a handler under way calls is part of what was accepted.
    if (this.#closing && chain.length === 0) return Promise.reject(closed());
    const call = { cls, id, key, handler, args, options, chain };
    if (this.#router === undefined) return this.#calls.make(call);
    return this.#router.route({ operation: "call", ...call }, (fresh) => {
      return this.#calls.make(fresh ? { ...call, options: { ...options, fresh } } : call);
    });
  }

  /** Alarms are for the owner of their object. */
  #visit(place: string): ReturnType<Visits["visit"]> {
    if (this.#router !== undefined) {
      const found = this.#directory.at(place);
      if (found !== undefined && !this.#router.owns(found.cls.spec.name, found.key)) {
        return Promise.resolve(undefined);
      }
    }
    return this.#visits.visit(place);
  }

  async #delete(cls: ObjectClass, key: string): Promise<boolean> {
    const deleted = await this.#engine.run(key, ({ state, ended, problem }) => {
      const there = ended === undefined && (state !== undefined || problem !== undefined);
      return there ? { kind: "end", reply: true } : { kind: "keep", reply: false };
    }, { fresh: true });
    this.#residents.forget(cls, key);
    this.#engine.evict(key);
    if (deleted) {
      const about = { ref: logReference(key), class: cls.spec.name };
      this.#ports.emit?.({ name: "holdfast.object.delete", ...about });
    }
    return deleted;
  }

  async #hook(member: Member, name: "onHibernate" | "onShutdown"): Promise<void> {
    const run = member.spec[name];
    if (run === undefined) return;
    const limit = member.cls.limits.limit(() => {});
    const work = { run, args: [], readOnly: false, chain: [], limit };
    const turn = handlerTurn(this.#env, member, work, false);
    const reply = await this.#engine.run(member.key, (current) => {
      // An object that nothing is stored of, or that was deleted, has nothing to put away.
      return current.state === undefined ? { kind: "keep", reply: undefined } : turn(current);
    });
    if (reply instanceof Failure) throw reply.error;
  }

  #makeIndex({ namespace }: ObjectSettings): AlarmIndex {
    const { clock, random } = this.#ports;
    return new AlarmIndex({
      namespace,
      clock,
      random,
      note: (key) => this.#engine.note(key),
      erase: (key) => this.#engine.erase(key),
      expect: (place, at) => this.#poller.expect(place, at),
    });
  }

  #makeEngine({ engine, maxObjectBytes }: ObjectSettings): Engine {
    const ports = this.#ports;
    const { storage, clock, random } = ports;
    return new Engine({
      storage,
      clock,
      random,
      get emit() {
        return ports.emit;
      },
      get carry() {
        return ports.carry;
      },
      classOf: (key) => this.#directory.classOf(key),
      hooks: this.#index,
      // Who leaves memory and when is for the residents to say.
    }, { ...engine, maxStateBytes: maxObjectBytes, idleMs: Infinity, maxActive: Infinity });
  }

  #makeEnv({ maxObjectBytes }: ObjectSettings): TurnEnv {
    const { clock, random } = this.#ports;
    return {
      clock,
      random,
      maxStateBytes: maxObjectBytes,
      call: async (target, id, handler, args, chain, beside) => {
        // What a turn tells others is true by then: they cannot take it back (SPEC OJ41).
        if (!beside) await this.#engine.seen(chain.at(-1) ?? "");
        // A definition that is called is in use, as one that is handed to `object()`.
        const cls = typeof target === "string"
          ? this.#directory.find(target)
          : this.register(target);
        return await this.#call(cls, id, this.#directory.key(cls, id), handler, args, {}, chain);
      },
      loaded: ({ key }, { alarms }) => {
        const place = this.#directory.place(key);
        for (const { at } of Object.values(alarms)) this.#poller.expect(place, at);
      },
      unheard: ({ key, spec }, error) => {
        const about = { ref: logReference(key), class: spec.name, error };
        this.#ports.emit?.({ name: "holdfast.object.call_failed", ...about });
      },
      rests: ({ key, spec }, { error }, restMs) => {
        const about = { ref: logReference(key), class: spec.name, error, restMs };
        this.#ports.emit?.({ name: "holdfast.object.cool_down", ...about });
      },
    };
  }

  #makeVisits({ alarmRetry: retry }: ObjectSettings): Visits {
    return new Visits({
      ports: this.#ports,
      directory: this.#directory,
      engine: this.#engine,
      residents: this.#residents,
      cordons: this.#cordons,
      env: this.#env,
      retry,
    });
  }
}

function closed(): HoldfastError {
  return new HoldfastError("ERR_CLOSED", "Cannot accept a call: the instance is closed", {
    retryable: true,
  });
}
