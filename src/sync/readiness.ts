import { HoldfastError } from "../core/errors.ts";
import type { SyncStatus } from "./hub_ports.ts";

/** Whether changes are followed, and if not why; and who waits until they are. */
export class Readiness {
  #status: SyncStatus = { state: "connecting" };
  /** What is not set up any more, though the stream goes on. */
  #broken: unknown;
  /** What is not set up of some tables; the others are followed. */
  #lacking: unknown;
  #waiting: { resolve(): void; reject(error: unknown): void }[] = [];

  get status(): SyncStatus {
    const { state } = this.#status;
    if (state === "closed") return this.#status;
    if (state === "live" && this.#broken !== undefined) {
      return { state: "connecting", error: this.#broken };
    }
    const { error = this.#lacking } = this.#status;
    return error === undefined ? { state } : { state, error };
  }

  get live(): boolean {
    return this.status.state === "live";
  }

  /** Settles when changes of all tables are followed; rejects if something has to be set up first. */
  wait(): Promise<void> {
    const { state, error } = this.status;
    if (state === "closed") return Promise.reject(closedError());
    if (isSetup(error)) return Promise.reject(error);
    if (state === "live") return Promise.resolve();
    return new Promise((resolve, reject) => void this.#waiting.push({ resolve, reject }));
  }

  /** The stream has begun or goes on. */
  followed(): void {
    this.#status = { state: "live" };
    this.#settle();
  }

  /** Nothing is followed, or not now. */
  connecting(error?: unknown): void {
    this.#status = error === undefined ? { state: "connecting" } : { state: "connecting", error };
    if (isSetup(error)) this.#reject(error);
  }

  /** What the stream carries is not all of it any more. */
  broken(error: unknown): void {
    this.#broken = error;
    this.#reject(error);
  }

  /** It is again, but for what some tables lack. */
  mended(lacking?: unknown): void {
    [this.#broken, this.#lacking] = [undefined, lacking];
    if (lacking === undefined) this.#settle();
    else this.#reject(lacking);
  }

  close(): void {
    this.#status = { state: "closed" };
    this.#reject(closedError());
  }

  #settle(): void {
    if (!this.live || this.#lacking !== undefined) return;
    for (const { resolve } of this.#waiting.splice(0)) resolve();
  }

  #reject(error: unknown): void {
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }
}

/** Tells whether something has to be set up first. */
export function isSetup(error: unknown): boolean {
  return error instanceof HoldfastError && error.code === "ERR_SYNC_SETUP";
}

/** What a closed sync answers with. */
export function closedError(): HoldfastError {
  return new HoldfastError("ERR_CLOSED", "Cannot watch: the sync is closed");
}
