import type { Clock } from "../ports/clock.ts";
import { Channel } from "./channel.ts";
import type { Host } from "./host.ts";
import type { Key } from "./key.ts";
import type { AnyWatchOptions } from "./plan.ts";
import type { OpenWatch } from "./watch.ts";

interface Shared {
  readonly channel: Channel;
  holders: number;
  /** Keeps it from being closed, while nobody holds it. */
  keep: (() => void) | undefined;
}

/** The channels there are: one for each watch and key, shared by everybody who opens the same. */
export class Channels implements Iterable<Channel> {
  readonly #host: Host;
  readonly #clock: Clock;
  readonly #lingerMs: number;
  readonly #byOptions = new Map<AnyWatchOptions, Map<Key, Shared>>();

  /** @param lingerMs What nobody holds is kept so long: a page that was just rendered joins soon. */
  constructor(host: Host, clock: Clock, lingerMs: number) {
    [this.#host, this.#clock, this.#lingerMs] = [host, clock, lingerMs];
  }

  *[Symbol.iterator](): Iterator<Channel> {
    for (const byKey of this.#byOptions.values()) {
      for (const { channel } of byKey.values()) yield channel;
    }
  }

  /** Opens one for somebody. */
  open(options: AnyWatchOptions, key: Key): OpenWatch<never> {
    const shared = this.#share(options, key);
    shared.holders++;
    shared.keep?.();
    shared.keep = undefined;
    const { presenter } = shared.channel;
    const ends = new Set<() => void>();
    let open = true;
    return {
      getSnapshot: () => presenter.snapshot as never,
      ready: () => presenter.ready() as never,
      subscribe: (listener) => {
        const end = open ? presenter.subscribe(listener) : () => {};
        ends.add(end);
        return () => {
          ends.delete(end);
          end();
        };
      },
      close: () => {
        if (!open) return;
        open = false;
        for (const end of ends) end();
        this.#release(options, key, shared);
      },
    };
  }

  /** Closes all of them. */
  close(): void {
    for (const byKey of this.#byOptions.values()) {
      for (const { channel, keep } of byKey.values()) {
        keep?.();
        channel.close();
      }
    }
    this.#byOptions.clear();
  }

  #share(options: AnyWatchOptions, key: Key): Shared {
    const byKey = this.#byOptions.get(options) ?? new Map<Key, Shared>();
    this.#byOptions.set(options, byKey);
    const known = byKey.get(key);
    if (known !== undefined) return known;
    const channel = new Channel(options, key, this.#host);
    const shared: Shared = { channel, holders: 0, keep: undefined };
    byKey.set(key, shared);
    void channel.start();
    return shared;
  }

  #release(options: AnyWatchOptions, key: Key, shared: Shared): void {
    shared.holders--;
    const byKey = this.#byOptions.get(options);
    if (shared.holders > 0 || byKey?.get(key) !== shared) return;
    const end = (): void => {
      shared.channel.close();
      byKey.delete(key);
      if (byKey.size === 0) this.#byOptions.delete(options);
    };
    if (this.#lingerMs === 0) end();
    else shared.keep = this.#clock.timer(this.#lingerMs, end, { background: true });
  }
}
