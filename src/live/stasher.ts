import { HoldfastError } from "../core/errors.ts";
import type { JsonObject } from "../core/json.ts";
import type { Captured, StashHandle } from "../stash/handle.ts";
import type { ViewEnv } from "./env.ts";

/** Longest time between two tries after failures. */
const maxRetryMs = 60_000;

/** What became of storing a view's state. */
export type StoreOutcome =
  | { readonly kind: "stored" }
  /** The submit's effect was stored before, by another node. */
  | { readonly kind: "known" }
  | { readonly kind: "failed"; readonly error: unknown; readonly retryable: boolean };

/** Whom a stasher serves. */
export interface StashedView {
  /** Everything up to a version of the text is durable, or could not be stored. */
  stashed(rev: number, outcome: StoreOutcome): void;
  /** What could not be read before is part of the state now. */
  refreshed(): void;
}

/**
 * Stores what a view has shown: a moment later, so that a burst is one write; one write at a time;
 * and again and again while storage fails. What is stored is what was taken when it was rendered, so
 * it does not matter what the view is doing meanwhile, or whether it still is.
 */
export class Stasher {
  readonly #handle: StashHandle<JsonObject>;
  readonly #env: ViewEnv;
  readonly #view: StashedView;
  readonly #delayMs: number;
  #pending: { readonly rev: number; readonly captured: Captured } | undefined;
  #cancel: (() => void) | undefined;
  #writing: Promise<StoreOutcome> | undefined;
  #failures = 0;
  #stopped = false;

  constructor(
    handle: StashHandle<JsonObject>,
    env: ViewEnv,
    view: StashedView,
    delayMs: number | undefined,
  ) {
    this.#handle = handle;
    this.#env = env;
    this.#view = view;
    this.#delayMs = delayMs ?? env.timing.stashMs;
  }

  /**
   * Takes the state as it was rendered.
   *
   * @param rev The version of the text it is.
   * @param always Store it also if nothing has changed.
   * @returns Whether there is anything to store.
   * @throws {InvalidValueError} If it cannot be stored.
   */
  take(rev: number, always = false): boolean {
    const captured = this.#handle.capture();
    // Back to what is stored, while something else is on its way there.
    const isNew = always || captured.isNew || this.#writing !== undefined;
    this.#pending = isNew ? { rev, captured } : undefined;
    return isNew;
  }

  /** Stores what was taken, soon. */
  later(): void {
    this.#arm(this.#delayMs);
  }

  /** Stores what was taken, without waiting for it. */
  now(): void {
    this.#disarm();
    if (this.#writing === undefined) void this.#write(undefined);
    else this.#arm(0);
  }

  /**
   * Stores what was taken, and waits for it.
   *
   * @param submit Number of the submit whose effect it is.
   */
  async store(submit?: number): Promise<StoreOutcome> {
    while (this.#writing !== undefined) await this.#writing;
    return await this.#write(submit);
  }

  /** Stores what was taken, tries once more if storage fails, and then nothing any more. */
  async finish(): Promise<StoreOutcome> {
    this.#stopped = true;
    const outcome = await this.store();
    return outcome.kind === "failed" && outcome.retryable ? await this.store() : outcome;
  }

  /** Forgets what was taken. */
  forget(): void {
    this.#pending = undefined;
    this.#disarm();
  }

  /** Stores nothing more. */
  stop(): void {
    this.#stopped = true;
    this.forget();
  }

  #arm(delayMs: number): void {
    if (this.#cancel !== undefined || this.#stopped) return;
    this.#cancel = this.#env.clock.timer(delayMs, () => {
      this.#cancel = undefined;
      if (this.#writing === undefined) void this.#write(undefined);
      else void this.#writing.then(() => this.#arm(0));
    }, { background: true });
  }

  #disarm(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  /** Never rejects. */
  #write(submit: number | undefined): Promise<StoreOutcome> {
    this.#disarm();
    const pending = this.#pending;
    if (pending === undefined) return Promise.resolve({ kind: "stored" });
    const { rev, captured } = pending;
    const writing = this.#put(captured, submit).then((isNew): StoreOutcome => {
      this.#failures = 0;
      if (this.#pending === pending) this.#pending = undefined;
      return { kind: isNew ? "stored" : "known" };
    }, (error): StoreOutcome => {
      const retryable = error instanceof HoldfastError && error.retryable;
      if (!retryable && this.#pending === pending) this.#pending = undefined;
      return { kind: "failed", error, retryable };
    }).then((outcome) => {
      this.#writing = undefined;
      if (outcome.kind === "failed" && outcome.retryable) this.#again();
      this.#view.stashed(rev, outcome);
      return outcome;
    });
    return this.#writing = writing;
  }

  async #put(captured: Captured, submit: number | undefined): Promise<boolean> {
    if (this.#handle.unreadable) {
      // What a submit has done without what was stored, it has to do again with it.
      const patch = submit === undefined ? captured.patch : { set: {}, drop: [] };
      const isWhole = await this.#handle.overwrite({ ...captured, patch });
      this.#view.refreshed();
      if (!isWhole || submit !== undefined) throw this.#handle.gaveWay();
      return true;
    }
    const isNew = await this.#handle.put(captured, submit);
    return isNew || submit === undefined;
  }

  #again(): void {
    const delayMs = this.#env.timing.stashRetryMs * 2 ** Math.min(this.#failures++, 16);
    this.#arm(Math.min(maxRetryMs, delayMs));
  }
}
