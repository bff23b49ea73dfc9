import type { Engine } from "./engine.ts";
import type { ObjectSpec } from "./model.ts";
import type { TimeLimits } from "./time_limit.ts";
import type { Resident } from "./turns.ts";
import { type EnginePorts, logReference } from "./types.ts";

/** A class of objects in this process. */
export interface ObjectClass {
  readonly spec: ObjectSpec;
  /** What the keys of its objects begin with. */
  readonly prefix: string;
  readonly limits: TimeLimits;
  /** Objects whose state is in memory, about in order of last use. */
  readonly awake: Map<string, Member>;
  /** Objects whose state has left memory, until they are shut down. */
  readonly asleep: Map<string, Member>;
  cancelSweep: (() => void) | undefined;
  /** When the next sweep is, on the monotonic clock. */
  sweepAt: number;
}

/** An object in memory. */
export interface Member extends Resident {
  readonly cls: ObjectClass;
  /** When it was called last, on the monotonic clock. */
  usedAt: number;
  /** The `usedAt` it has its place in the order for. */
  placedAt: number;
  /** It is on its way out. */
  leaving: boolean;
}

/** What the residents stand on. */
export interface ResidentPorts {
  readonly ports: Pick<EnginePorts, "clock" | "emit">;
  readonly engine: Engine;
  /** Objects kept awake; beyond it the least recently used goes to sleep. */
  readonly maxAwake: number;
  /** Runs a hook of an object, if its class has it and anything is stored. */
  readonly hook: (member: Member, name: "onHibernate" | "onShutdown") => Promise<void>;
  /** When an object has its next alarm, in ms since the epoch. */
  readonly nextAlarm: (member: Member) => number | undefined;
}

/** An object with an alarm due within this time stays in memory for it. */
const imminentMs = 5000;

/** Objects that are shut down at the same time. */
const parallel = 16;

/**
 * Who is in memory, and for how long: awake until nobody has called for the class's
 * `hibernateAfterMs`, then asleep until its `shutdownAfterMs`. Alarms wake an object but do not count
 * as calls.
 */
export class Residents {
  readonly #on: ResidentPorts;
  readonly #classes: Set<ObjectClass> = new Set();
  #awake = 0;
  #closing = false;

  constructor(on: ResidentPorts) {
    this.#on = on;
  }

  /** Finds an object, or lets it in. */
  use(cls: ObjectClass, id: string, key: string, isCall: boolean): Member {
    const now = this.#on.ports.clock.monotonic();
    let member = cls.awake.get(key);
    if (member === undefined) {
      member = cls.asleep.get(key) ?? newMember(cls, id, key, now);
      cls.asleep.delete(key);
      this.#wake(member, now);
    } else if (isCall && now - member.placedAt >= 1000) {
      // The order is kept to the second: moving an object costs more than finding it.
      place(member, now);
    }
    if (isCall) member.usedAt = now;
    return member;
  }

  /** Shuts an object down, if it is in memory. */
  async stop(cls: ObjectClass, key: string): Promise<void> {
    const member = cls.awake.get(key) ?? cls.asleep.get(key);
    if (member !== undefined) await this.#shutdown(member);
  }

  /** Shuts every object of a class down that is in memory. */
  async stopAll(cls: ObjectClass): Promise<void> {
    const next = [...cls.awake.values(), ...cls.asleep.values()].values();
    const work = async () => {
      for (const member of next) await this.#shutdown(member);
    };
    await Promise.all(Array.from({ length: parallel }, work));
  }

  /** Shuts every object down that is not to be kept, as soon as it has nothing to do. */
  async stopUnless(keep: (className: string, key: string) => boolean): Promise<void> {
    const leaving: Member[] = [];
    for (const { spec, awake, asleep } of this.#classes) {
      for (const member of [...awake.values(), ...asleep.values()]) {
        if (!keep(spec.name, member.key)) leaving.push(member);
      }
    }
    const next = leaving.values();
    const work = async () => {
      for (const member of next) await this.#shutdown(member);
    };
    await Promise.all(Array.from({ length: parallel }, work));
  }

  /** Forgets an object without a word, unless it has something to do. */
  forget(cls: ObjectClass, key: string): void {
    const member = cls.awake.get(key) ?? cls.asleep.get(key);
    if (member !== undefined && this.#on.engine.evict(key)) this.#remove(member);
  }

  /**
   * Runs the `onShutdown` of every object that has one, of those that come in on the way, too; from then
   * on nobody goes to sleep.
   */
  async shutdownAll(): Promise<void> {
    this.#closing = true;
    for (const { cancelSweep } of this.#classes) cancelSweep?.();
    const done = new Set<Member>();
    for (let next = this.#others(done); next.length > 0; next = this.#others(done)) {
      const members = next.values();
      const work = async () => {
        for (const member of members) await this.#runHook(member, "onShutdown");
      };
      await Promise.all(Array.from({ length: parallel }, work));
    }
  }

  /** Those with an `onShutdown` that are not among some, and are from now on. */
  #others(done: Set<Member>): readonly Member[] {
    const others: Member[] = [];
    for (const { spec, awake, asleep } of this.#classes) {
      if (spec.onShutdown === undefined) continue;
      for (const member of [...awake.values(), ...asleep.values()]) {
        if (!done.has(member)) others.push(member);
        done.add(member);
      }
    }
    return others;
  }

  #wake(member: Member, now: number): void {
    const { cls } = member;
    this.#classes.add(cls);
    member.placedAt = now;
    // Whoever wakes it stays for a while, call or alarm.
    member.usedAt = now;
    cls.awake.set(member.key, member);
    if (++this.#awake > this.#on.maxAwake) this.#makeRoom(member);
    this.#schedule(cls);
  }

  /** Lets the least recently used object sleep that has nothing to do. */
  #makeRoom(but: Member): void {
    const oldest = Array.from(this.#classes, ({ awake }) => awake.values().next().value)
      .filter((member) => member !== undefined && member !== but && !member.leaving)
      .sort((a, b) => (a?.placedAt ?? 0) - (b?.placedAt ?? 0))[0];
    if (oldest !== undefined) void this.#hibernate(oldest);
  }

  #schedule(cls: ObjectClass): void {
    const { hibernateAfterMs, shutdownAfterMs } = cls.spec;
    const firstAwake = cls.awake.values().next().value;
    const firstAsleep = cls.asleep.values().next().value;
    const at = Math.min(
      firstAwake === undefined ? Infinity : firstAwake.placedAt + hibernateAfterMs,
      firstAsleep === undefined ? Infinity : firstAsleep.placedAt + shutdownAfterMs,
    );
    if (at >= cls.sweepAt || this.#closing) return;
    cls.cancelSweep?.();
    cls.sweepAt = at;
    const { clock } = this.#on.ports;
    // Not for each object by itself: those that are due within a moment go together.
    const delayMs = Math.max(10, at - clock.monotonic());
    const sweep = () => this.#sweep(cls);
    cls.cancelSweep = clock.timer(delayMs, sweep, { background: true });
  }

  #sweep(cls: ObjectClass): void {
    cls.cancelSweep = undefined;
    cls.sweepAt = Infinity;
    const now = this.#on.ports.clock.monotonic();
    const { hibernateAfterMs, shutdownAfterMs } = cls.spec;
    for (const member of cls.awake.values()) {
      if (member.placedAt + hibernateAfterMs > now) break;
      if (member.usedAt + hibernateAfterMs > now) place(member, member.usedAt);
      else if (!member.leaving) {
        if (shutdownAfterMs <= hibernateAfterMs) void this.#shutdown(member);
        else void this.#hibernate(member);
      }
    }
    for (const member of cls.asleep.values()) {
      if (member.placedAt + shutdownAfterMs > now) break;
      if (!member.leaving) void this.#shutdown(member);
    }
    this.#schedule(cls);
  }

  async #hibernate(member: Member): Promise<void> {
    const { engine, ports, nextAlarm } = this.#on;
    const { cls, key, usedAt } = member;
    const alarmIn = (nextAlarm(member) ?? Infinity) - ports.clock.now();
    if (alarmIn <= imminentMs) return this.#stayFor(member, Math.max(0, alarmIn) + 1000);
    if (cls.spec.onHibernate !== undefined) await this.#runHook(member, "onHibernate");
    if (member.usedAt !== usedAt || !engine.evict(key)) return this.#stay(member);
    this.#remove(member);
    member.lineage = undefined;
    member.view = undefined;
    if (cls.spec.shutdownAfterMs !== Infinity) {
      member.placedAt = usedAt;
      cls.asleep.set(key, member);
      this.#schedule(cls);
    }
    ports.emit?.({ name: "holdfast.object.hibernate", ...about(member) });
  }

  async #shutdown(member: Member): Promise<void> {
    const { engine, ports } = this.#on;
    const { key, usedAt } = member;
    if (member.cls.spec.onShutdown !== undefined) await this.#runHook(member, "onShutdown");
    await engine.whenIdle(key);
    if (member.usedAt !== usedAt || !engine.evict(key)) return this.#stay(member);
    this.#remove(member);
    ports.emit?.({ name: "holdfast.object.shutdown", ...about(member) });
  }

  async #runHook(member: Member, name: "onHibernate" | "onShutdown"): Promise<void> {
    member.leaving = true;
    place(member, this.#on.ports.clock.monotonic());
    try {
      await this.#on.hook(member, name);
    } catch (error) {
      this.#on.ports.emit?.({ name: "holdfast.object.hook_failed", ...about(member), error });
    } finally {
      member.leaving = false;
    }
  }

  /** Stays for an alarm: that is no call, so its time does not begin anew. */
  #stayFor(member: Member, delayMs: number): void {
    const { usedAt } = member;
    this.#stay(member);
    const retry = () => {
      if (member.usedAt === usedAt && member.cls.awake.get(member.key) === member) {
        void this.#hibernate(member);
      }
    };
    this.#on.ports.clock.timer(delayMs, retry, { background: true });
  }

  /** It has something to do: its time begins anew. */
  #stay(member: Member): void {
    place(member, this.#on.ports.clock.monotonic());
    this.#schedule(member.cls);
  }

  #remove({ cls, key }: Member): void {
    if (cls.awake.delete(key)) this.#awake--;
    cls.asleep.delete(key);
  }
}

function about({ key, spec }: Member): { readonly ref: string; readonly class: string } {
  return { ref: logReference(key), class: spec.name };
}

function newMember(cls: ObjectClass, id: string, key: string, now: number): Member {
  return {
    cls,
    spec: cls.spec,
    id,
    key,
    lineage: undefined,
    rev: 0,
    view: undefined,
    bytes: Infinity,
    deleted: false,
    trouble: undefined,
    usedAt: now,
    placedAt: now,
    leaving: false,
  };
}

/** Puts an object at the end of the order. */
function place(member: Member, at: number): void {
  const { awake, asleep } = member.cls;
  member.placedAt = at;
  if (awake.delete(member.key)) awake.set(member.key, member);
  if (asleep.delete(member.key)) asleep.set(member.key, member);
}
