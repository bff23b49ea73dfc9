/** Time as a port: what the wall says, and timers. */
export interface Clock {
  /** Milliseconds since the Unix epoch. May jump; never used to order writes. */
  now(): number;
  /** Milliseconds on a clock that never goes back, with an arbitrary origin. For durations. */
  monotonic(): number;
  /**
   * Calls back once after a delay.
   *
   * @param delayMs Milliseconds, 0 or more.
   * @param callback Must not throw.
   * @param options `background: true` for a timer that must not keep the process alive.
   * @returns A function that cancels the timer; harmless after it fired.
   */
  timer(delayMs: number, callback: () => void, options?: TimerOptions): () => void;
}

/** Options of {@linkcode Clock.timer}. */
export interface TimerOptions {
  /** The timer must not keep the process alive. @default {false} */
  readonly background?: boolean;
}
