import { wrongArgument } from "../../src/core/options.ts";
import type { Keys } from "../../src/core/secret.ts";
import type { DocumentInspection } from "../../src/document/inspection.ts";
import type { Engine } from "../../src/object/engine.ts";
import type { ObjectInspection } from "../../src/object/inspection.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { Hmac } from "../../src/ports/hmac.ts";
import type { Random } from "../../src/ports/random.ts";
import type { TelemetryEvent } from "../../src/ports/telemetry.ts";
import type { SessionOptions } from "../../src/stash/session.ts";
import type { Sessions } from "../../src/stash/sessions.ts";
import type { CookieSettings } from "./cookies.ts";
import type { OpenSession } from "./opened.ts";

/** What can be looked at of a process. */
export interface Inspection {
  readonly objects: ObjectInspection;
  readonly documents: DocumentInspection;
  /** Sessions in memory: how many, and log references of those that came in last. */
  readonly sessions: Pick<Engine, "size" | "recent">;
}

/** What other adapters of this package build on: nothing that a user of it gets to see. */
export interface Internals {
  readonly clock: Clock;
  readonly random: Random;
  readonly hmac: Hmac;
  /** Keeps applications on one storage apart. */
  readonly namespace: string;
  /** The keys, the current one first. */
  readonly keys: Promise<readonly Keys[]>;
  readonly sessions: Sessions;
  readonly cookie: CookieSettings;
  /** Opens the session of a request like `open()`, which checks its options each time. */
  open(cookieHeader: string | null | undefined, options: SessionOptions): OpenSession;
  /** It is being closed, or is closed. */
  readonly closing: boolean;
  /** Reads from storage, to see whether that works. */
  probe(): Promise<unknown>;
  /** Looks at what there is without touching it. */
  readonly inspection: Inspection;
  /** Tells everybody who listens; `undefined` while nobody does. */
  readonly emit: ((event: TelemetryEvent) => void) | undefined;
}

const known = new WeakMap<object, Internals>();

/** Notes what a root is made of. */
export function noteInternals(holdfast: object, internals: Internals): void {
  known.set(holdfast, internals);
}

/** What a root is made of; `undefined` if another copy of this package has made it. */
export function findInternals(holdfast: object): Internals | undefined {
  return known.get(holdfast);
}

/**
 * What a root is made of.
 *
 * @throws {TypeError} If `createHoldfast()` of this very package has not made it.
 */
export function internalsOf(holdfast: unknown, what: string): Internals {
  const found = typeof holdfast === "object" && holdfast !== null ? known.get(holdfast) : undefined;
  if (found !== undefined) return found;
  throw wrongArgument(`Cannot create ${what}: it needs what createHoldfast() made`);
}
