import type { Clock } from "../../src/ports/clock.ts";
import type { TelemetryEvent } from "../../src/ports/telemetry.ts";

/** What the names of the inspector's own views begin with: they are not what anybody wants counted. */
export const viewPrefix = "inspector-";

/** What is counted. */
export const counted = [
  "reads",
  "writes",
  "conflicts",
  "calls",
  "failures",
  "alarms",
  "sessions",
  "events",
] as const;

/** One of the things that are counted. */
export type Counted = typeof counted[number];

/** Seconds that are kept. */
export const keptSeconds = 300;

/** Seconds that make one point of a chart. */
const stepSeconds = 2;

/** Durations fall into classes, each a quarter longer than the one before: 0.05 ms to 40 s. */
const [firstMs, growth, classes] = [0.05, 1.25, 62];

/** How long the recorder goes on when nobody has looked. */
const lingerMs = 5 * 60_000;

/** How long storage calls took, over time. */
export interface Latency {
  readonly p50: readonly (number | undefined)[];
  readonly p99: readonly (number | undefined)[];
}

/**
 * Counts what happens second by second, in memory of a fixed size. It listens while somebody looks, and
 * for five minutes after: while nobody does, no event is made for it.
 */
export class Recorder {
  readonly #clock: Clock;
  readonly #subscribe: (listener: (event: TelemetryEvent) => void) => () => void;
  readonly #counts: Readonly<Record<Counted, Uint32Array>>;
  readonly #durations: Uint32Array = new Uint32Array(keptSeconds * classes);
  #end: (() => void) | undefined;
  #cancelLook: (() => void) | undefined;
  #lookedAt = 0;
  /** The first second that was listened to, and the last that has a place in the rings. */
  #from = 0;
  #now = 0;

  constructor(
    clock: Clock,
    subscribe: (listener: (event: TelemetryEvent) => void) => () => void,
  ) {
    this.#clock = clock;
    this.#subscribe = subscribe;
    const counts = counted.map((name) => [name, new Uint32Array(keptSeconds)] as const);
    this.#counts = Object.fromEntries(counts) as Record<Counted, Uint32Array>;
  }

  /** Whether it listens. */
  get listening(): boolean {
    return this.#end !== undefined;
  }

  /** Says that somebody looks. */
  look(): void {
    this.#lookedAt = this.#clock.monotonic();
    if (this.#end !== undefined) return;
    this.#from = this.#now = this.#second();
    for (const ring of [...Object.values(this.#counts), this.#durations]) ring.fill(0);
    this.#end = this.#subscribe((event) => this.#hear(event));
    this.#lookAgain(lingerMs);
  }

  /** Stops listening. */
  close(): void {
    this.#end?.();
    this.#end = undefined;
    this.#cancelLook?.();
    this.#cancelLook = undefined;
  }

  /** How many there were a second, oldest first; `undefined` where nobody has listened. */
  rate(name: Counted): readonly (number | undefined)[] {
    const ring = this.#counts[name];
    return this.#steps((seconds) => {
      const sum = seconds.reduce((all, second) => all + (ring[second % keptSeconds] ?? 0), 0);
      return sum / seconds.length;
    });
  }

  /** How long storage calls took, in milliseconds, to the quarter; `undefined` where there was none. */
  latency(): Latency {
    const at = (share: number) => this.#steps((seconds) => this.#quantile(seconds, share));
    return { p50: at(0.5), p99: at(0.99) };
  }

  /** The points of a chart: whole seconds only, so that the last one is not always too low. */
  #steps(
    point: (seconds: readonly number[]) => number | undefined,
  ): readonly (number | undefined)[] {
    this.#advance();
    // Steps begin at even seconds, so that points keep what they were.
    const last = Math.floor(this.#now / stepSeconds);
    const points: (number | undefined)[] = [];
    for (let step = last - keptSeconds / stepSeconds + 1; step < last; step++) {
      const seconds = [];
      for (let i = 0; i < stepSeconds; i++) {
        const second = step * stepSeconds + i;
        if (second >= this.#from) seconds.push(second);
      }
      points.push(seconds.length === 0 || !this.listening ? undefined : point(seconds));
    }
    return points;
  }

  #quantile(seconds: readonly number[], share: number): number | undefined {
    const sums = new Float64Array(classes);
    let all = 0;
    for (const second of seconds) {
      const start = second % keptSeconds * classes;
      for (let i = 0; i < classes; i++) {
        const count = this.#durations[start + i] ?? 0;
        sums[i] = (sums[i] ?? 0) + count;
        all += count;
      }
    }
    if (all === 0) return undefined;
    let left = share * all;
    const found = sums.findIndex((count) => (left -= count) <= 0);
    return firstMs * growth ** (found < 0 ? classes - 1 : found);
  }

  #hear(event: TelemetryEvent): void {
    switch (event.name) {
      case "holdfast.storage.get":
      case "holdfast.storage.list":
      case "holdfast.storage.put":
      case "holdfast.storage.delete":
        if (event.phase === "start") return;
        if (event.phase === "exception") this.#count("failures");
        else this.#count(/put|delete/.test(event.name) ? "writes" : "reads");
        if (event.result === "conflict") this.#count("conflicts");
        return this.#took(event.durationMs ?? 0);
      case "holdfast.object.call":
        if (event.phase !== "start") this.#count("calls");
        return event.phase === "exception" ? this.#count("failures") : undefined;
      case "holdfast.alarm.fire":
        return this.#count("alarms");
      case "holdfast.document.conflict":
        return this.#count("conflicts");
      case "holdfast.session.create":
        return this.#count("sessions");
      case "holdfast.live.event":
        return event.view?.startsWith(viewPrefix) === true ? undefined : this.#count("events");
      case "holdfast.alarm.park":
      case "holdfast.alarm.retry":
      case "holdfast.live.crash":
      case "holdfast.document.store_failed":
        return this.#count("failures");
    }
  }

  #count(name: Counted): void {
    this.#advance();
    const ring = this.#counts[name];
    const at = this.#now % keptSeconds;
    ring[at] = (ring[at] ?? 0) + 1;
  }

  #took(durationMs: number): void {
    this.#advance();
    const found = Math.ceil(Math.log(durationMs / firstMs) / Math.log(growth));
    const at = this.#now % keptSeconds * classes + Math.min(classes - 1, Math.max(0, found));
    this.#durations[at] = (this.#durations[at] ?? 0) + 1;
  }

  /** Makes room for the seconds that have passed. */
  #advance(): void {
    const now = this.#second();
    const first = Math.max(this.#now + 1, now - keptSeconds + 1);
    for (let second = first; second <= now; second++) {
      const at = second % keptSeconds;
      for (const name of counted) this.#counts[name][at] = 0;
      this.#durations.fill(0, at * classes, (at + 1) * classes);
    }
    this.#now = now;
  }

  #second(): number {
    return Math.floor(this.#clock.monotonic() / 1000);
  }

  #lookAgain(delayMs: number): void {
    this.#cancelLook = this.#clock.timer(delayMs, () => {
      const left = this.#lookedAt + lingerMs - this.#clock.monotonic();
      if (left <= 0) this.close();
      else this.#lookAgain(left);
    }, { background: true });
  }
}
