import type { Load, Subject } from "../subject.ts";

/** Another library's counters, in processes of its own or in this one. */
export interface Peer extends Subject {
  /** Answers with a counter and changes nothing. */
  readonly read: (counter: number) => Promise<number>;
  /**
   * Lets callers call from inside the other runtime, where calls need no HTTP.
   *
   * @returns How many calls there were.
   */
  readonly inside?: (load: Load, ms: number) => Promise<number>;
}

/** How to start one. */
export interface PeerKind {
  /** As it stands in the table. */
  readonly label: string;
  /** It can be closed and opened again in one process. */
  readonly restarts: boolean;
  /** Starts it on a folder that is kept from one start to the next. */
  readonly open: (folder: string) => Promise<Peer>;
}

/**
 * Loads one of the packages that are installed here, beside this file, for the benchmarks alone.
 *
 * @typeParam T What is used of it: its own types may not be there.
 */
export async function load<T>(name: string): Promise<T> {
  const loaded: T = await import(name);
  return loaded;
}

/** Reads a number from an HTTP answer. */
export async function numberFrom(url: string, init: RequestInit = {}): Promise<number> {
  const response = await fetch(url, init);
  const body = await response.text();
  if (!response.ok) throw new Error(`Cannot call a peer: ${response.status} ${body.slice(0, 200)}`);
  return Number(body);
}
