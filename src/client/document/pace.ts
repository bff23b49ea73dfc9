/** How fast the server takes frames of a connection: more of them end it. */
export interface Rate {
  readonly perSecond: number;
  /** Frames that may come at once after a pause. */
  readonly burst: number;
}

/** What a server allows that does not say so. */
const usualRate: Rate = { perSecond: 100, burst: 200 };

/** The join, heartbeats, and a word on where the user is, which do not wait. */
const spare = 6;

/** A pointer moves more often than others are told of it. */
const hereEveryMs = 50;

/** Reads what a server has said; a number that JSON does not have stands for no limit. */
export function rateOf(said: { readonly [of in keyof Rate]: number | null } = usualRate): Rate {
  return { perSecond: said.perSecond ?? Infinity, burst: said.burst ?? Infinity };
}

/**
 * How much may be sent now over a connection. A network that holds frames back and then lets them go at
 * once must not make them too many: half of the burst may be under way without an answer, the other half
 * be sent beside it. Time is a parameter, in ms.
 */
export class Pace {
  readonly #rate: Rate;
  /** Operations that may be without an answer, and frames that may be sent at once. */
  readonly #half: number;
  #room: number;
  #at: number;

  constructor(rate: Rate, now: number) {
    this.#rate = rate;
    this.#half = Math.max(1, Math.floor((rate.burst - spare) / 2));
    this.#room = this.#half;
    this.#at = now;
  }

  /**
   * How many operations may be sent.
   *
   * @param unanswered How many were sent and are not answered.
   */
  operations(unanswered: number, now: number): number {
    return Math.max(0, Math.min(this.#half - unanswered, Math.floor(this.#gained(now))));
  }

  /** So many frames are sent. */
  sent(frames: number, now: number): void {
    this.#room = this.#gained(now) - frames;
    this.#at = now;
  }

  /**
   * Milliseconds until another operation may be sent; `undefined` if that depends on an answer.
   *
   * @param unanswered How many were sent and are not answered.
   */
  waitMs(unanswered: number, now: number): number | undefined {
    if (unanswered >= this.#half) return undefined;
    const missing = 1 - this.#gained(now);
    return missing <= 0 ? 0 : Math.ceil(missing / this.#rate.perSecond * 1000);
  }

  /** Milliseconds between words on where the user is, which take no more than half of what may be sent. */
  get hereEveryMs(): number {
    return Math.max(hereEveryMs, 2000 / this.#rate.perSecond);
  }

  #gained(now: number): number {
    const gained = (now - this.#at) / 1000 * this.#rate.perSecond;
    // Without a limit nothing is gained in no time.
    return Math.min(this.#half, this.#room + (gained || 0));
  }
}
