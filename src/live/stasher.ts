import { HoldfastError } from "../core/errors.ts";
import type { JsonObject } from "../core/json.ts";
import type { StashHandle } from "../stash/handle.ts";
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
  /** Runs something between two steps of the view, when its state is whole. */
  between(run: () => void): void;
  /** Everything up to a version of the text is durable, or could not be stored. */
  stashed(rev: number, outcome: StoreOutcome): void;
  /** What could not be read before is part of the state now. */
  refreshed(): void;
}

/**
 * Stores what a view changed: a moment later, so that a burst is one write; one write at a time; and
 * again and again while storage fails.
 */
export class Stasher {
  readonly #handle: StashHandle<JsonObject>;
  readonly #env: ViewEnv;
  readonly #view: StashedView;
  readonly #delayMs: number;
  #rev = 0;
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

  /** Whether something changed that is not stored. Throws if it cannot be: the handler's fault. */
  get dirty(): boolean {
    return this.#handle.changed();
  }

  /** Stores what changed up to a version of the text, soon. */
  later(rev: number): void {
    this.#rev = rev;
    this.#arm(this.#delayMs);
  }

  /** Stores what changed up to a version of the text, without waiting for it. */
  now(rev: number): void {
    this.#rev = rev;
    if (this.#writing === undefined) void this.#write(undefined);
    else this.#arm(0);
  }

  /**
   * Stores what changed up to a version of the text, and waits for it. Call it between two steps,
   * or in one that goes on after it.
   *
   * @param submit Number of the submit whose effect it is.
   */
  async store(rev: number, submit?: number): Promise<StoreOutcome> {
    while (this.#writing !== undefined) await this.#writing;
    this.#rev = rev;
    return await this.#write(submit);
  }

  /** Stores nothing more. */
  stop(): void {
    this.#stopped = true;
    this.#disarm();
  }

  #arm(delayMs: number): void {
    if (this.#cancel !== undefined || this.#stopped) return;
    this.#cancel = this.#env.clock.timer(delayMs, () => {
      this.#cancel = undefined;
      this.#view.between(() => {
        if (this.#stopped) return;
        if (this.#writing === undefined) void this.#write(undefined);
        else void this.#writing.then(() => this.#arm(0));
      });
    }, { background: true });
  }

  #disarm(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  /** Takes the state as it is now. Never rejects. */
  #write(submit: number | undefined): Promise<StoreOutcome> {
    this.#disarm();
    const rev = this.#rev;
    const writing = this.#stash(submit).then((isNew): StoreOutcome => {
      this.#failures = 0;
      return { kind: isNew ? "stored" : "known" };
    }, (error): StoreOutcome => {
      const retryable = error instanceof HoldfastError && error.retryable;
      return { kind: "failed", error, retryable };
    }).then((outcome) => {
      this.#writing = undefined;
      if (outcome.kind === "failed") this.#failed(outcome.retryable);
      this.#view.stashed(rev, outcome);
      return outcome;
    });
    return this.#writing = writing;
  }

  async #stash(submit: number | undefined): Promise<boolean> {
    if (this.#handle.unreadable) {
      await this.#handle.overwrite();
      this.#view.refreshed();
    }
    if (submit !== undefined) return await this.#handle.submit(submit);
    await this.#handle.stash();
    return true;
  }

  #failed(retryable: boolean): void {
    if (!retryable) return;
    const delayMs = this.#env.timing.stashRetryMs * 2 ** Math.min(this.#failures++, 16);
    this.#arm(Math.min(maxRetryMs, delayMs));
  }
}
