import type { RetryPolicy } from "../core/retry.ts";
import { deletedMs } from "./alarm_index.ts";
import type { Cordons } from "./cordons.ts";
import { type AlarmOutcome, alarmTurn, named } from "./alarms.ts";
import type { Directory } from "./directory.ts";
import type { Engine } from "./engine.ts";
import type { Visit } from "./poller.ts";
import type { Member, ObjectClass, Residents } from "./residents.ts";
import { Failure, type TurnEnv } from "./turns.ts";
import { type EnginePorts, logReference } from "./types.ts";

/** What visits stand on. */
export interface VisitPorts {
  readonly ports: Pick<EnginePorts, "clock" | "emit">;
  readonly directory: Directory;
  readonly engine: Engine;
  readonly residents: Residents;
  readonly cordons: Cordons;
  readonly env: TurnEnv;
  readonly retry: RetryPolicy;
}

/** Alarms of one object fired in a row before others get their turn. */
const maxInARow = 64;

/** Looks at objects that an entry of the index, or a timer, has led to. */
export class Visits {
  readonly #on: VisitPorts;
  /** Alarms fired, and tries that failed, so far. */
  readonly counts: { fired: number; failed: number } = { fired: 0, failed: 0 };

  constructor(on: VisitPorts) {
    this.#on = on;
  }

  /**
   * Fires everything that is due of one object; `undefined` if its class is not known here, or if it
   * takes no calls.
   */
  async visit(place: string): Promise<Visit | undefined> {
    const { ports, directory, residents, env, engine, retry } = this.#on;
    const found = directory.at(place);
    if (found === undefined) return undefined;
    const { cls, id, key } = found;
    if (this.#on.cordons.holds(key)) return undefined;
    const member = residents.use(cls, id, key, false);
    const done = new Set<string>();
    for (let count = 0;; count++) {
      const turn = alarmTurn(env, member, cls.limits.limit(() => {}), retry);
      const startedAt = ports.clock.monotonic();
      // Another node may have set or fired an alarm since this one has looked at the object.
      const outcome = await engine.run(key, turn, { fresh: count === 0 });
      if (outcome instanceof Failure) throw outcome.error;
      if (outcome.kind === "deleted") return await this.#buried(cls, key, outcome.at);
      if (outcome.kind === "none") return this.#seen(outcome, done);
      done.add(outcome.alarm.nonce);
      this.#report(member, outcome, startedAt);
      this.counts[outcome.kind]++;
      if (count >= maxInARow) {
        return { judge: ({ nonce }) => done.has(nonce) ? "done" : "later", next: 0 };
      }
    }
  }

  /**
   * Fires one alarm now, whatever its time, also a parked one; `false` if there is none. Rejects with
   * what its handler throws: it will then be tried again as after any failure.
   */
  async fire(cls: ObjectClass, id: string, key: string, name: string): Promise<boolean> {
    const { ports, residents, env, engine, retry } = this.#on;
    const startedAt = ports.clock.monotonic();
    const member = residents.use(cls, id, key, false);
    const turn = alarmTurn(env, member, cls.limits.limit(() => {}), retry, named(name));
    const outcome = await engine.run(key, turn, { fresh: true });
    if (outcome instanceof Failure) throw outcome.error;
    if (outcome.kind === "none" || outcome.kind === "deleted") return false;
    this.#report(member, outcome, startedAt);
    if (outcome.kind === "failed") throw outcome.error;
    return true;
  }

  /** What the record says about the entries that led to it. */
  #seen(
    { nonces, next, rev }: AlarmOutcome & { readonly kind: "none" },
    done: ReadonlySet<string>,
  ): Visit {
    const set = new Set(nonces);
    // A young entry may have come before its record.
    const before = this.#on.ports.clock.now() - deletedMs;
    const judge: Visit["judge"] = ({ nonce, madeAt, seenRev }) => {
      if (done.has(nonce)) return "done";
      // Its record was there and is no more, or another has taken its place (SPEC AL13).
      if (!set.has(nonce) && seenRev < rev) return "orphan";
      return set.has(nonce) || madeAt >= before ? "later" : "orphan";
    };
    return { judge, next };
  }

  /** Removes the record of a deleted object once no late write can bring it back. */
  async #buried(cls: ObjectClass, key: string, deletedAt: number): Promise<Visit> {
    const { ports, engine, residents } = this.#on;
    residents.forget(cls, key);
    const over = ports.clock.now() - deletedAt >= deletedMs;
    const removed = over && (await engine.purge(key)).ok;
    return { judge: () => removed ? "orphan" : "later", next: undefined };
  }

  #report(
    member: Member,
    outcome: AlarmOutcome & { readonly kind: "fired" | "failed" },
    startedAt: number,
  ): void {
    const { clock, emit } = this.#on.ports;
    const { name: alarm, alarm: { attempt, scheduledAt } } = outcome;
    const failed = outcome.kind === "failed";
    const what = failed ? (outcome.parked ? "park" : "retry") : "fire";
    emit?.({
      name: `holdfast.alarm.${what}`,
      ref: logReference(member.key),
      class: member.spec.name,
      alarm,
      attempt,
      lateMs: clock.now() - scheduledAt,
      durationMs: clock.monotonic() - startedAt,
      ...(failed ? { error: outcome.error } : {}),
    });
  }
}
