import type { JsonValue } from "../core/json.ts";
import type { Clock } from "../ports/clock.ts";
import { colorFor } from "./color.ts";
import type { DocumentFrame, Present } from "./frame.ts";

/** How presence is kept. */
export interface PresenceSettings {
  /** Milliseconds over which changes are gathered into one frame. */
  readonly everyMs: number;
  /** Milliseconds after which somebody who was not heard of is gone. */
  readonly ttlMs: number;
}

interface Entry extends Present {
  heardAt: number;
}

/** Who is here: kept in memory only, per connection, and told in bundles (SPEC DO13). */
export class Presence {
  readonly #clock: Clock;
  readonly #settings: PresenceSettings;
  readonly #tell: (frame: DocumentFrame) => void;
  readonly #here: Map<string, Entry> = new Map();
  readonly #changed: Set<string> = new Set();
  #cancelTell: (() => void) | undefined;
  #cancelSweep: (() => void) | undefined;

  constructor(clock: Clock, settings: PresenceSettings, tell: (frame: DocumentFrame) => void) {
    this.#clock = clock;
    this.#settings = settings;
    this.#tell = tell;
  }

  /** Everybody who is here. */
  all(): Readonly<Record<string, Present>> {
    return Object.fromEntries(Array.from(this.#here, ([id, entry]) => [id, shown(entry)]));
  }

  /** How many are here. */
  get size(): number {
    return this.#here.size;
  }

  /** Somebody says where they are. */
  set(id: string, actor: string | null, data: JsonValue): void {
    const heardAt = this.#clock.monotonic();
    this.#here.set(id, { actor, color: colorFor(actor ?? id), data, heardAt });
    this.#note(id);
    this.#watch();
  }

  /** Somebody is still here. */
  heard(id: string): void {
    const entry = this.#here.get(id);
    if (entry !== undefined) entry.heardAt = this.#clock.monotonic();
  }

  /** Somebody is gone. */
  remove(id: string): void {
    if (this.#here.delete(id)) this.#note(id);
  }

  /** Forgets everybody, and ends the timers. */
  close(): void {
    this.#cancelTell?.();
    this.#cancelSweep?.();
    this.#here.clear();
    this.#changed.clear();
  }

  #note(id: string): void {
    this.#changed.add(id);
    this.#cancelTell ??= this.#clock.timer(this.#settings.everyMs, () => this.#flush());
  }

  #flush(): void {
    this.#cancelTell = undefined;
    const set: Record<string, Present> = {};
    const gone: string[] = [];
    for (const id of this.#changed) {
      const entry = this.#here.get(id);
      if (entry === undefined) gone.push(id);
      else set[id] = shown(entry);
    }
    this.#changed.clear();
    this.#tell({ t: "presence", set, gone });
  }

  #watch(): void {
    const { ttlMs } = this.#settings;
    this.#cancelSweep ??= this.#clock.timer(ttlMs / 2, () => this.#sweep(), { background: true });
  }

  #sweep(): void {
    this.#cancelSweep = undefined;
    const before = this.#clock.monotonic() - this.#settings.ttlMs;
    for (const [id, { heardAt }] of this.#here) if (heardAt < before) this.remove(id);
    if (this.#here.size > 0) this.#watch();
  }
}

function shown({ actor, color, data }: Entry): Present {
  return { actor, color, data };
}
