import type { Clock } from "../ports/clock.ts";
import type { TelemetryEvent } from "../ports/telemetry.ts";
import type { LiveLimits, LiveTiming } from "./limits.ts";
import type { PoisonGuard } from "./poison.ts";
import type { DocumentPort } from "./shared.ts";

/** What all views of a node share. */
export interface ViewEnv {
  readonly clock: Clock;
  readonly limits: LiveLimits;
  readonly timing: LiveTiming;
  readonly poison: PoisonGuard;
  /** Finds documents. */
  readonly document: DocumentPort;
  /** Receives events; `undefined` while nobody listens. */
  readonly emit: ((event: TelemetryEvent) => void) | undefined;
}
