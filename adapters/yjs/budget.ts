import { HoldfastError } from "../../src/core/errors.ts";

/**
 * What one client may have the server do, in steps over what is in a document, of some six nanoseconds: a tenth of
 * its time for long, and a third of a second at once. Who types comes to a thousandth of it (SPEC YJ11).
 */
const stepsPerMs = 16_000;
const mostSaved = 48_000_000;

/** So many clients are remembered; of more, those that have least to wait for are forgotten first. */
const mostClients = 10_000;

/** How much of its time the server has spent on the updates of each client. */
export class Budget {
  /** What they owe, and as of when, in ms since the epoch. */
  readonly #debts: Map<string, { readonly steps: number; readonly at: number }> = new Map();

  /**
   * Lets a client have an update merged, unless it has had more than its part.
   *
   * @throws {HoldfastError} `ERR_MAILBOX_FULL`, to be sent again later.
   */
  check(client: string, at: number): void {
    if (this.#owed(client, at) < mostSaved) return;
    throw new HoldfastError(
      "ERR_MAILBOX_FULL",
      "Cannot merge an update of Yjs: those of its client before it have taken the server too long",
      { retryable: true },
    );
  }

  /** Notes what an update of a client has taken, whatever became of it. */
  charge(client: string, at: number, steps: number): void {
    const owed = this.#owed(client, at) + steps;
    this.#debts.delete(client);
    this.#debts.set(client, { steps: owed, at });
    if (this.#debts.size > mostClients) this.#forget(at);
  }

  #owed(client: string, at: number): number {
    const debt = this.#debts.get(client);
    // A clock that goes back forgives nothing, and takes nothing more.
    return debt === undefined
      ? 0
      : Math.max(0, debt.steps - Math.max(0, at - debt.at) * stepsPerMs);
  }

  #forget(at: number): void {
    const byDebt = [...this.#debts.keys()].map((client) =>
      [this.#owed(client, at), client] as const
    )
      .sort(([a], [b]) => a - b);
    for (const [, client] of byDebt.slice(0, mostClients / 2)) this.#debts.delete(client);
  }
}
