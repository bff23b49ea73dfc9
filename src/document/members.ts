import type { CatchUp } from "./model.ts";
import { type DocumentFrame, Outgoing } from "./frame.ts";

/** Takes a frame to a subscriber; `false` if it has too much to send already. */
export type Deliver = (frame: DocumentFrame, outgoing: Outgoing) => boolean | void;

/** A subscriber. */
export interface Member {
  readonly id: string;
  readonly actor: string | null;
  /** May only look. */
  readonly readOnly: boolean;
  readonly deliver: Deliver;
  /** Grows with every join, in the order in which they were asked for. */
  readonly turn: number;
  /** The number it had when its transport was full; it gets nothing until that has drained. */
  lagsAt: number | undefined;
}

/** The subscribers of a document: each gets every frame, encoded once for all. */
export class Members {
  readonly #members: Map<string, Member> = new Map();

  get size(): number {
    return this.#members.size;
  }

  /** Adds a subscriber; of two of one id the one that asked earlier is told that it was replaced. */
  add(member: Member): void {
    const other = this.#members.get(member.id);
    // Rights may take longer to look up for the earlier one, whose socket may be gone by now.
    const isLate = other !== undefined && other.turn > member.turn;
    if (!isLate) this.#members.set(member.id, member);
    const replaced = isLate ? member : other;
    if (replaced !== undefined) tell(replaced, { t: "end", code: "replaced", retry: false });
  }

  /** Tells whether this very subscriber is here: its id may be another's by now (SPEC DO12). */
  has(member: Member): boolean {
    return this.#members.get(member.id) === member;
  }

  /** Removes this very subscriber; `false` if it is gone or was replaced. */
  remove(member: Member): boolean {
    return this.has(member) && this.#members.delete(member.id);
  }

  /** Sends operations to everybody who is at the number before them. */
  operations(outgoing: Outgoing, before: number): void {
    for (const member of this.#members.values()) {
      if (member.lagsAt !== undefined) continue;
      if (!send(member, outgoing)) member.lagsAt = before;
    }
  }

  /** Sends what nobody needs who has too much to send already. */
  casual(frame: DocumentFrame): void {
    const outgoing = new Outgoing(frame);
    for (const member of this.#members.values()) {
      if (member.lagsAt === undefined) send(member, outgoing);
    }
  }

  /** Sends everybody to the present at once, whatever they had. */
  reset(epoch: string, catchUp: CatchUp): void {
    const outgoing = new Outgoing({ t: "catch_up", epoch, catchUp });
    for (const member of this.#members.values()) {
      member.lagsAt = undefined;
      send(member, outgoing);
    }
  }

  /** Tells everybody that it is over, and forgets them. */
  end(code: string, retry: boolean): void {
    const all = [...this.#members.values()];
    this.#members.clear();
    for (const member of all) tell(member, { t: "end", code, retry });
  }
}

function tell(member: Member, frame: DocumentFrame): void {
  send(member, new Outgoing(frame));
}

/** What a subscriber throws is its own affair. */
function send(member: Member, outgoing: Outgoing): boolean {
  try {
    const result: unknown = member.deliver(outgoing.frame, outgoing);
    if (result instanceof Promise) result.catch(() => {});
    return result !== false;
  } catch {
    return true;
  }
}
