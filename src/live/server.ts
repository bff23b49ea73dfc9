import { wrongArgument } from "../core/options.ts";
import type { Clock } from "../ports/clock.ts";
import type { TelemetryEvent } from "../ports/telemetry.ts";
import { Connection, type ConnectionHost, type Handshake } from "./connection.ts";
import type { DrainTiming, LiveLimits, LiveTiming } from "./limits.ts";
import type { ViewSpec } from "./model.ts";
import { PoisonGuard } from "./poison.ts";
import { pause } from "./pause.ts";
import type { LiveSocket } from "./ports.ts";
import type { LivePorts, LiveSettings } from "./settings.ts";
import type { DocumentPort } from "./shared.ts";
import type { LiveView } from "./view.ts";

/** What a drain came to. */
export interface DrainReport {
  /** Views that were connected. */
  readonly views: number;
  /** Views of which everything is stored. */
  readonly flushed: number;
  /** Connections whose page did not answer in time. */
  readonly timedOut: number;
  /** Views of which something could not be stored. */
  readonly failed: number;
}

/** How often connections are looked after, at most. */
const maxTickMs = 1000;

/** The connections of one node and the views on them. */
export class LiveServer implements ConnectionHost {
  readonly settings: LiveSettings;
  readonly ports: LivePorts;
  readonly poison: PoisonGuard;
  readonly views: ReadonlyMap<string, ViewSpec>;
  /** The page instances that are connected here. */
  readonly pages: Map<string, LiveView> = new Map();
  readonly #connections: Set<Connection> = new Set();
  readonly #perSession: Map<string, number> = new Map();
  #cancelTick: (() => void) | undefined;
  #draining: Promise<DrainReport> | undefined;

  /** @throws {TypeError} If two views have one name. */
  constructor(settings: LiveSettings, ports: LivePorts) {
    this.settings = settings;
    this.ports = ports;
    this.poison = new PoisonGuard(ports.clock, settings.timing.poisonMs);
    const views = new Map<string, ViewSpec>();
    for (const { name, spec } of settings.views) {
      if (views.has(name)) {
        throw wrongArgument(`Cannot create live views: two of them are named "${name}"`);
      }
      views.set(name, spec);
    }
    this.views = views;
  }

  get clock(): Clock {
    return this.ports.clock;
  }

  get document(): DocumentPort {
    return this.ports.document;
  }

  get limits(): LiveLimits {
    return this.settings.limits;
  }

  get timing(): LiveTiming {
    return this.settings.timing;
  }

  get drainTiming(): DrainTiming {
    return this.settings.drain;
  }

  get emit(): ((event: TelemetryEvent) => void) | undefined {
    return this.ports.emit;
  }

  /** Whether this node is taking leave. */
  get draining(): boolean {
    return this.#draining !== undefined;
  }

  /** Connections at the moment. */
  get size(): number {
    return this.#connections.size;
  }

  /** Takes in a connection. */
  open(socket: LiveSocket, handshake: Handshake): Connection {
    const connection = new Connection(this, socket, handshake);
    this.#connections.add(connection);
    if (this.#connections.size > this.limits.maxConnections) connection.refuseAll();
    this.#tickSoon();
    return connection;
  }

  /** @internal A connection is over. */
  closed(connection: Connection): void {
    this.#connections.delete(connection);
    if (this.#connections.size > 0) return;
    this.#cancelTick?.();
    this.#cancelTick = undefined;
  }

  /** @internal Counts a connection of a session; `false` if there are too many. */
  enter(key: string): boolean {
    const count = this.#perSession.get(key) ?? 0;
    if (count >= this.limits.socketsPerSession) return false;
    this.#perSession.set(key, count + 1);
    return true;
  }

  /** @internal */
  exit(key: string): void {
    const count = (this.#perSession.get(key) ?? 0) - 1;
    if (count > 0) this.#perSession.set(key, count);
    else this.#perSession.delete(key);
  }

  /**
   * Takes leave of all pages, a batch at a time. Called again it returns the same.
   *
   * @param hurry When it is aborted, nobody is waited for any more; what there is is stored.
   */
  drain(hurry?: AbortSignal): Promise<DrainReport> {
    return this.#draining ??= this.#drain(hurry);
  }

  #tickSoon(): void {
    if (this.#cancelTick !== undefined) return;
    const everyMs = Math.max(1, Math.min(maxTickMs, this.timing.joinMs / 2));
    this.#cancelTick = this.clock.timer(everyMs, () => {
      this.#cancelTick = undefined;
      for (const connection of [...this.#connections]) connection.tick();
      if (this.#connections.size > 0) this.#tickSoon();
    }, { background: true });
  }

  async #drain(hurry: AbortSignal | undefined): Promise<DrainReport> {
    const { withinMs, batch, everyMs } = this.drainTiming;
    const start = this.clock.monotonic();
    // A page may leave before its turn comes: its view stores what there is then.
    const views = [...this.#connections].flatMap((connection) => connection.views);
    const counts = { views: views.length, flushed: 0, timedOut: 0, failed: 0 };
    let kept = 0;
    const ends = views.map((view) => view.whenOver.then((isKept) => void (isKept && kept++)));
    const late = new Deadline(this.clock, withinMs);
    const drains: Promise<void>[] = [];
    const waiting = [...this.#connections];
    while (waiting.length > 0 && !late.passed) {
      for (const connection of waiting.splice(0, hurry?.aborted ? Infinity : batch)) {
        drains.push(
          connection.drain("shutdown", hurry).then(({ flushed, failed, timedOut }) => {
            counts.flushed += flushed;
            counts.failed += failed;
            if (timedOut) counts.timedOut++;
          }),
        );
      }
      if (waiting.length > 0) await pause(this.clock, everyMs, hurry);
    }
    await Promise.race([Promise.all([...drains, ...ends]), late.promise]);
    late.cancel();
    // Of whoever is left nobody knows what became.
    for (const connection of [...this.#connections]) connection.close("draining");
    const failed = Math.max(counts.failed, counts.views - kept);
    const report = { ...counts, failed };
    const durationMs = this.clock.monotonic() - start;
    this.emit?.({
      name: "holdfast.live.drain",
      ref: "",
      views: counts.views,
      failed,
      timedOut: counts.timedOut,
      durationMs,
    });
    return report;
  }
}

/** A moment after which nothing is waited for. */
class Deadline {
  readonly promise: Promise<void>;
  cancel: () => void = () => {};
  passed = false;

  constructor(clock: Clock, ms: number) {
    this.promise = new Promise((resolve) => {
      this.cancel = clock.timer(ms, () => {
        this.passed = true;
        resolve();
      });
    });
  }
}
