import process from "node:process";
import type { Load, Slice, Subject } from "./subject.ts";

/**
 * Lets callers call for a while, each on its own counters, one call after the other; every answer is
 * checked: a subject that loses or repeats a call is not fast, it is wrong.
 */
export class Driver {
  readonly #subject: Subject;
  readonly #load: Load;
  /** What each counter has answered last. */
  readonly #counts: number[];

  constructor(subject: Subject, load: Load) {
    this.#subject = subject;
    this.#load = load;
    this.#counts = Array.from({ length: load.objects }, () => 0);
  }

  /**
   * Measures one slice.
   *
   * @param ms How long, in ms.
   * @throws {Error} If an answer was wrong.
   */
  async slice(ms: number): Promise<Slice> {
    const startedAt = performance.now();
    const before = process.cpuUsage();
    const calls = await this.calls(ms);
    const { user, system } = process.cpuUsage(before);
    const seconds = (performance.now() - startedAt) / 1000;
    return { perSecond: calls / seconds, cpuUs: (user + system) / calls };
  }

  /** Calls for so many ms; answers with how many calls there were. */
  async calls(ms: number): Promise<number> {
    const until = performance.now() + ms;
    const each = Array.from({ length: this.#load.callers }, (_, n) => this.#caller(n, until));
    return (await Promise.all(each)).reduce((sum, count) => sum + count, 0);
  }

  async #caller(first: number, until: number): Promise<number> {
    const { callers, objects } = this.#load;
    const shared = callers > objects;
    let calls = 0;
    for (let at = first % objects; performance.now() < until; at = (at + callers) % objects) {
      const count = await this.#subject.increment(at);
      const last = this.#counts[at] ?? 0;
      // Of callers who share a counter none can know what the others have done.
      if (!(shared ? count > 0 : count > last)) {
        throw new Error(`Cannot measure: counter ${at} answered ${count} after ${last}`);
      }
      this.#counts[at] = count;
      calls++;
    }
    return calls;
  }
}
