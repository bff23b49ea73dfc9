import type { ChangeInfo, WatchSnapshot } from "./watch.ts";

type Listener = (snapshot: WatchSnapshot<never>) => void;
type OnChange = (value: unknown, info: ChangeInfo) => unknown;

const nothingYet: WatchSnapshot<unknown> = { value: undefined, status: "loading", version: 0 };

/** Shows a value to its subscribers, after what `onChange` makes of it. */
export class Presenter {
  readonly #onChange: OnChange | undefined;
  readonly #report: (error: unknown) => void;
  readonly #listeners = new Set<Listener>();
  #snapshot = nothingYet;
  /** Has another snapshot that no listener knows of. */
  #dirty = false;
  /** What waits for an `onChange` that has not returned. */
  #next:
    | { readonly value: unknown; readonly cause: ChangeInfo["cause"]; readonly live: boolean }
    | undefined;
  #busy = false;
  #closed = false;
  #settled: { resolve(snapshot: WatchSnapshot<unknown>): void; reject(error: unknown): void }[] =
    [];

  constructor(onChange: OnChange | undefined, report: (error: unknown) => void) {
    [this.#onChange, this.#report] = [onChange, report];
  }

  get snapshot(): WatchSnapshot<unknown> {
    return this.#snapshot;
  }

  /** Tells whether there has been no value yet. */
  get empty(): boolean {
    return this.#snapshot.version === 0 && this.#next === undefined && !this.#busy;
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  subscribe(listener: Listener): () => void {
    // A function of its own, so that one that subscribes twice is called twice.
    const own: Listener = (snapshot) => listener(snapshot);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  /** Settles with the first value or the first failure. */
  ready(): Promise<WatchSnapshot<unknown>> {
    const { version, error } = this.#snapshot;
    if (version > 0) return Promise.resolve(this.#snapshot);
    if (error !== undefined) return Promise.reject(error);
    return new Promise((resolve, reject) => void this.#settled.push({ resolve, reject }));
  }

  /** Takes a new value; {@linkcode Presenter.flush} tells the listeners. */
  set(value: unknown, cause: ChangeInfo["cause"], live = true): void {
    if (this.#busy) this.#next = { value, cause, live };
    else this.#present(value, cause, live);
  }

  /** Loading has failed. */
  fail(error: unknown, status: "loading" | "stale"): void {
    const { value, version } = this.#snapshot;
    this.#snapshot = { value, status: version === 0 ? "loading" : status, error, version };
    this.#dirty = true;
    if (version > 0) return;
    for (const { reject } of this.#settled.splice(0)) reject(error);
  }

  /** Nothing is heard from the database. */
  stale(): void {
    if (this.#snapshot.status !== "live") return;
    this.#snapshot = { ...this.#snapshot, status: "stale" };
    this.#dirty = true;
  }

  /** It is heard again, and nothing was missed. */
  live(): void {
    const { status, error } = this.#snapshot;
    if (status !== "stale" || error !== undefined) return;
    this.#snapshot = { ...this.#snapshot, status: "live" };
    this.#dirty = true;
  }

  /** Calls the listeners if there is something new. */
  flush(): void {
    if (!this.#dirty || this.#closed) return;
    this.#dirty = false;
    const snapshot = this.#snapshot;
    for (const listener of [...this.#listeners]) {
      // One that was ended by another is not called any more.
      if (!this.#listeners.has(listener)) continue;
      try {
        listener(snapshot as WatchSnapshot<never>);
      } catch (error) {
        this.#report(error);
      }
    }
  }

  close(): void {
    this.#closed = true;
    this.#listeners.clear();
    const error = new Error("Cannot wait for the value: the watch was closed");
    for (const { reject } of this.#settled.splice(0)) reject(error);
  }

  #present(value: unknown, cause: ChangeInfo["cause"], live: boolean): void {
    if (this.#onChange === undefined) return this.#show(value, live);
    try {
      const made = this.#onChange(value, { cause });
      if (made instanceof Promise) void this.#presentLater(made, value, live);
      else this.#show(made === undefined ? value : made, live);
    } catch (error) {
      this.#keep(error);
    }
  }

  async #presentLater(made: Promise<unknown>, value: unknown, live: boolean): Promise<void> {
    this.#busy = true;
    try {
      const shown = await made;
      if (!this.#closed) this.#show(shown === undefined ? value : shown, live);
    } catch (error) {
      this.#keep(error);
    }
    this.#busy = false;
    const next = this.#next;
    this.#next = undefined;
    if (next !== undefined && !this.#closed) this.set(next.value, next.cause, next.live);
    this.flush();
  }

  /** What `onChange` threw: the value before stays, and says so. */
  #keep(error: unknown): void {
    this.#report(error);
    this.fail(error, "stale");
  }

  #show(value: unknown, live: boolean): void {
    const version = this.#snapshot.version + 1;
    this.#snapshot = { value, status: live ? "live" : "stale", version };
    this.#dirty = true;
    for (const { resolve } of this.#settled.splice(0)) resolve(this.#snapshot);
  }
}
