import { HoldfastError, StorageUnavailableError } from "../../../src/core/errors.ts";
import type { Ledger } from "./ledger.ts";
import type { Node } from "./node.ts";

/** What became of a call: it is known to have happened, known not to have, or neither. */
export type Fate = "acknowledged" | "refused" | "unknown";

/** One attempt of a client to append an id. */
interface Attempt {
  readonly key: string;
  readonly id: string;
  readonly node: Node;
  /** Where in the history it was submitted and answered. */
  readonly from: number;
  to: number;
  fate: Fate | "pending";
}

/** What a reader, or a turn, had to see because it was acknowledged before the question. */
export interface Claim {
  readonly key: string;
  readonly ids: readonly string[];
  readonly ended: boolean;
}

/** Everything that was asked and answered in a simulation, and what must follow from it. */
export class History {
  readonly problems: string[] = [];
  readonly counts: Record<Fate | "reads" | "effects", number> = {
    acknowledged: 0,
    refused: 0,
    unknown: 0,
    reads: 0,
    effects: 0,
  };
  readonly #ledger: Ledger;
  readonly #attempts: Attempt[] = [];
  readonly #effects: Map<string, number> = new Map();
  readonly #acknowledged: Map<string, string[]> = new Map();
  readonly #ended: Set<string> = new Set();
  #step = 0;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  /** Notes that an append is submitted. */
  submit(key: string, id: string, node: Node): Attempt {
    const attempt: Attempt = { key, id, node, from: ++this.#step, to: 0, fate: "pending" };
    this.#attempts.push(attempt);
    return attempt;
  }

  /** Notes how an append was answered; called at that instant. */
  answer(attempt: Attempt, fate: Fate): void {
    attempt.to = ++this.#step;
    attempt.fate = fate;
    this.counts[fate]++;
    const { key, id } = attempt;
    if (fate !== "acknowledged") return;
    if (!this.#isDurable(key, id)) this.#complain(key, `${id} was acknowledged but is not durable`);
    this.#acknowledged.set(key, [...this.#acknowledged.get(key) ?? [], id]);
  }

  /** Notes that an effect of an append runs. */
  effect(key: string, id: string): void {
    this.counts.effects++;
    this.#effects.set(id, (this.#effects.get(id) ?? 0) + 1);
    if (!this.#isDurable(key, id)) {
      this.#complain(key, `an effect of ${id} ran before it was durable`);
    }
  }

  /** Notes that an end was acknowledged. */
  end(key: string): void {
    this.#ended.add(key);
    if (!this.#ledger.ended(key)) this.#complain(key, "an end was acknowledged but is not durable");
  }

  /** What somebody who asks now must see. */
  claim(key: string): Claim {
    return { key, ids: this.#acknowledged.get(key) ?? [], ended: this.#ended.has(key) };
  }

  /** Checks what a reader was shown; a claim is what it had to see. */
  saw(key: string, ids: readonly string[], ended: boolean, claim?: Claim): void {
    this.counts.reads++;
    const early = ids.find((id) => !this.#isDurable(key, id));
    if (early !== undefined) this.#complain(key, `${early} was shown but is not durable`);
    if (claim === undefined || ended) return;
    if (claim.ended) this.#complain(key, "an acknowledged end was not seen");
    const missed = claim.ids.find((id) => !ids.includes(id));
    if (missed !== undefined) this.#complain(key, `${missed} was acknowledged but not seen`);
  }

  /** Checks the end of the history against what is stored. */
  conclude(): readonly string[] {
    const byId = new Map<string, Attempt[]>();
    for (const attempt of this.#attempts) {
      byId.set(attempt.id, [...byId.get(attempt.id) ?? [], attempt]);
    }
    for (const [id, attempts] of byId) this.#checkId(id, attempts);
    this.#checkOrder();
    return [...this.#ledger.problems, ...this.problems];
  }

  #checkId(id: string, attempts: readonly Attempt[]): void {
    const [{ key } = { key: "" }] = attempts;
    const is = (fate: Attempt["fate"]) => attempts.some((attempt) => attempt.fate === fate);
    const effects = this.#effects.get(id) ?? 0;
    if (is("pending")) this.#complain(key, `${id} was never answered`);
    if (effects > 1) this.#complain(key, `effects of ${id} ran ${effects} times`);
    if (is("acknowledged")) {
      if (!this.#ledger.ended(key) && !this.#ledger.ids(key).includes(id)) {
        this.#complain(key, `${id} was acknowledged and is lost`);
      }
      if (!is("unknown") && effects !== 1) this.#complain(key, `no effect of ${id} ran`);
    } else if (!is("unknown")) {
      if (this.#ledger.has(id)) this.#complain(key, `${id} was refused and happened all the same`);
      if (effects > 0) this.#complain(key, `an effect of the refused ${id} ran`);
    }
  }

  /** Appends are in the order of their calls: one after another's answer, or on one node. */
  #checkOrder(): void {
    const doubtful = new Set(this.#attempts.map(({ id, fate }) => fate === "unknown" ? id : ""));
    for (const b of this.#attempts) {
      const at = this.#ledger.ids(b.key).indexOf(b.id);
      // One that was tried again may have happened at the first try.
      if (b.fate !== "acknowledged" || at < 0 || doubtful.has(b.id)) continue;
      for (const a of this.#attempts) {
        if (a === b || a.key !== b.key || a.fate !== "acknowledged" || a.id === b.id) continue;
        const earlier = a.to < b.from || a.node === b.node && a.from < b.from;
        if (earlier && this.#ledger.ids(a.key).indexOf(a.id) > at) {
          this.#complain(b.key, `${b.id} came before ${a.id}`);
        }
      }
    }
  }

  /** An append and the end that came after it may become durable in one write, as the end. */
  #isDurable(key: string, id: string): boolean {
    return this.#ledger.has(id) || this.#ledger.ended(key);
  }

  #complain(key: string, what: string): void {
    this.problems.push(`${key}: ${what}`);
  }
}

/** Judges an error: does it say for certain that nothing happened? */
export function fateOf(error: unknown): Fate | "strange" {
  if (error instanceof StorageUnavailableError) {
    return error.outcome === "none" ? "refused" : "unknown";
  }
  if (error instanceof HoldfastError) {
    const known = ["ERR_CONFLICT", "ERR_MAILBOX_FULL", "ERR_CLOSED", "ERR_SESSION_ENDED"];
    return known.includes(error.code) ? "refused" : "strange";
  }
  return error instanceof Error && error.message === "a turn threw" ? "refused" : "strange";
}
