import type { JsonValue } from "../core/json.ts";
import type { Clock } from "../ports/clock.ts";
import { colorFor } from "./color.ts";
import type { DocumentFrame, Present } from "./frame.ts";
import type { Said } from "./notices.ts";

/** How presence is kept. */
export interface PresenceSettings {
  /** Milliseconds over which changes are gathered into one frame. */
  readonly everyMs: number;
  /** Milliseconds after which somebody who was not heard of is gone. */
  readonly ttlMs: number;
}

interface Entry extends Present {
  heardAt: number;
  /** The node it is connected to; `undefined` for this one. */
  readonly from: string | undefined;
}

/** Who came, changed and went on this node. */
export interface PresenceChange {
  readonly set: Readonly<Record<string, Said>>;
  readonly gone: readonly string[];
}

/** Most that one change tells other nodes of, so that their link carries it. */
const maxTold = 64;

/** Who is here: kept in memory only, per connection, and told in bundles (SPEC DO13). */
export class Presence {
  readonly #clock: Clock;
  readonly #settings: PresenceSettings;
  readonly #tell: (frame: DocumentFrame) => void;
  readonly #tellOthers: (change: PresenceChange) => void;
  readonly #here: Map<string, Entry> = new Map();
  readonly #changed: Set<string> = new Set();
  /** Those of {@linkcode #changed} that other nodes have not heard of. */
  readonly #own: Set<string> = new Set();
  #cancelTell: (() => void) | undefined;
  #cancelSweep: (() => void) | undefined;

  /**
   * @param tell Tells the subscribers of this node.
   * @param tellOthers Tells other nodes, if there are any.
   */
  constructor(
    clock: Clock,
    settings: PresenceSettings,
    tell: (frame: DocumentFrame) => void,
    tellOthers: (change: PresenceChange) => void = () => {},
  ) {
    this.#clock = clock;
    this.#settings = settings;
    this.#tell = tell;
    this.#tellOthers = tellOthers;
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
    this.#here.set(id, { actor, color: colorFor(actor ?? id), data, heardAt, from: undefined });
    this.#own.add(id);
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
    const entry = this.#here.get(id);
    if (entry === undefined) return;
    this.#here.delete(id);
    if (entry.from === undefined) this.#own.add(id);
    this.#note(id);
  }

  /** Takes in who came, changed, went or is still here on another node. */
  hear(from: string, { set, gone }: PresenceChange): void {
    const heardAt = this.#clock.monotonic();
    for (const [id, { actor, data }] of Object.entries(set)) {
      const known = this.#here.get(id);
      // Who is connected here is not there any more.
      if (known !== undefined && known.from === undefined) continue;
      this.#here.set(id, { actor, color: colorFor(actor ?? id), data, heardAt, from });
      const same = known?.actor === actor && JSON.stringify(known.data) === JSON.stringify(data);
      if (!same) this.#note(id);
    }
    for (const id of gone) if (this.#here.get(id)?.from === from) this.remove(id);
    if (this.#here.size > 0) this.#watch();
  }

  /** Tells other nodes who is here on this one. */
  repeat(): void {
    const own = Array.from(this.#here).filter(([, { from }]) => from === undefined);
    this.#tellAll(own.map(([id]) => id));
  }

  /** Forgets everybody, and ends the timers; other nodes hear that they are gone. */
  close(): void {
    const own = Array.from(this.#here).filter(([, { from }]) => from === undefined);
    const ids = new Set([...this.#own, ...own.map(([id]) => id)]);
    this.#here.clear();
    this.#tellAll([...ids]);
    this.#cancelTell?.();
    this.#cancelSweep?.();
    this.#changed.clear();
    this.#own.clear();
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
    const own = [...this.#own];
    this.#own.clear();
    this.#tellAll(own);
  }

  #tellAll(ids: readonly string[]): void {
    for (let first = 0; first < ids.length; first += maxTold) {
      const set: Record<string, Said> = {};
      const gone: string[] = [];
      for (const id of ids.slice(first, first + maxTold)) {
        const entry = this.#here.get(id);
        // Whoever has moved to another node is told of by that one.
        if (entry === undefined || entry.from !== undefined) gone.push(id);
        else set[id] = { actor: entry.actor, data: entry.data };
      }
      this.#tellOthers({ set, gone });
    }
  }

  #watch(): void {
    const { ttlMs } = this.#settings;
    this.#cancelSweep ??= this.#clock.timer(ttlMs / 2, () => this.#sweep(), { background: true });
  }

  #sweep(): void {
    this.#cancelSweep = undefined;
    const before = this.#clock.monotonic() - this.#settings.ttlMs;
    for (const [id, { heardAt }] of this.#here) if (heardAt < before) this.remove(id);
    // Before others take them for gone.
    this.repeat();
    if (this.#here.size > 0) this.#watch();
  }
}

function shown({ actor, color, data }: Entry): Present {
  return { actor, color, data };
}
