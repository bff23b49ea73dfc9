import { ownerOf } from "./placement.ts";

/** What a node says of itself with every heartbeat. */
export interface Beat {
  readonly address: string;
  /** Grows when the node begins anew, having lost touch with the others. */
  readonly incarnation: number;
  readonly state: "up" | "draining" | "gone";
  /** Version of each class of objects it serves. */
  readonly serves: Readonly<Record<string, number>>;
}

interface Peer {
  readonly beat: Beat;
  /** When it was heard last, on this node's monotonic clock: clocks of others mean nothing here. */
  readonly heardAt: number;
}

/**
 * Who is there, as one node sees it. Others may see it otherwise; that costs a conflict and a
 * retry, never data.
 */
export class Members {
  readonly #lapseMs: number;
  readonly #peers: Map<string, Peer> = new Map();
  /** Incarnations that are over, so that no late heartbeat brings them back. */
  readonly #over: Map<string, number> = new Map();
  #version = 0;

  /** @param lapseMs Whoever was not heard for so long is taken for dead. */
  constructor(lapseMs: number) {
    this.#lapseMs = lapseMs;
  }

  /** Takes in a heartbeat; tells whether placement may be another from now on. */
  hear(beat: Beat, now: number): "new" | "changed" | "same" {
    const { address, incarnation, state } = beat;
    if (incarnation <= (this.#over.get(address) ?? 0)) return "same";
    const known = this.#peers.get(address)?.beat;
    if (known !== undefined && incarnation < known.incarnation) return "same";
    if (state === "gone") return this.drop(address, incarnation) ? "changed" : "same";
    // Nobody comes back from draining: what says so arrives late.
    const late = known?.incarnation === incarnation && known.state === "draining" && state === "up";
    if (late) return "same";
    this.#peers.set(address, { beat, heardAt: now });
    const same = known?.incarnation === incarnation && known.state === state &&
      sameClasses(known.serves, beat.serves);
    if (same) return "same";
    this.#version++;
    return known === undefined ? "new" : "changed";
  }

  /** Forgets one that is known to be gone, for good; tells whether it was there. */
  drop(address: string, incarnation: number): boolean {
    this.#over.delete(address);
    this.#over.set(address, incarnation);
    if (this.#over.size > 1000) {
      for (const first of this.#over.keys()) {
        this.#over.delete(first);
        break;
      }
    }
    const known = this.#peers.get(address);
    if (known === undefined || known.beat.incarnation > incarnation) return false;
    return this.suspect(address);
  }

  /** Forgets those that were not heard for too long; they are back with their next heartbeat. */
  lapse(now: number): readonly string[] {
    const lapsed: string[] = [];
    for (const [address, { heardAt }] of this.#peers) {
      if (now - heardAt < this.#lapseMs) continue;
      this.suspect(address);
      lapsed.push(address);
    }
    return lapsed;
  }

  /** Forgets one until its next heartbeat. */
  suspect(address: string): boolean {
    this.#version++;
    return this.#peers.delete(address);
  }

  /** Forgets everybody: the link is lost. */
  clear(): readonly string[] {
    const all = [...this.#peers.keys()];
    this.#version++;
    this.#peers.clear();
    return all;
  }

  /** Grows whenever who is there, or what one of them has said, is another. */
  get version(): number {
    return this.#version;
  }

  /** How many others are there. */
  get size(): number {
    return this.#peers.size;
  }

  /** What one has said last; `undefined` if it is not there. */
  get(address: string): Beat | undefined {
    return this.#peers.get(address)?.beat;
  }

  /** What all others have said last. */
  beats(): readonly Beat[] {
    return Array.from(this.#peers.values(), ({ beat }) => beat);
  }
}

/**
 * Chooses the owner of an object: among those that are up and serve its class in the newest version
 * there is, so that an older node never meets state it cannot read (SPEC CU5).
 */
export function place(beats: readonly Beat[], className: string, key: string): string | undefined {
  return ownerOf(candidatesOf(beats, className), key);
}

/** Those that are up and serve a class in the newest version there is. */
export function candidatesOf(beats: readonly Beat[], className: string): readonly string[] {
  let newest = -Infinity;
  let candidates: string[] = [];
  for (const { address, state, serves } of beats) {
    const vsn = Object.hasOwn(serves, className) ? serves[className] : undefined;
    if (state !== "up" || vsn === undefined || vsn < newest) continue;
    if (vsn > newest) candidates = [];
    newest = vsn;
    candidates.push(address);
  }
  return candidates;
}

function sameClasses(a: Beat["serves"], b: Beat["serves"]): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}
