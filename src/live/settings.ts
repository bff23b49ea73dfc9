import type { Clock } from "../ports/clock.ts";
import type { TelemetryEvent } from "../ports/telemetry.ts";
import type { DrainTiming, LiveLimits, LiveTiming } from "./limits.ts";
import type { AnyView } from "./model.ts";
import type { FramePort, TokenPort } from "./ports.ts";
import type { JoinFrame } from "./protocol.ts";
import type { DocumentPort } from "./shared.ts";

/** What the live views of a node stand on. */
export interface LivePorts {
  readonly clock: Clock;
  readonly tokens: TokenPort;
  readonly frames: FramePort;
  /** Makes a page instance id. */
  readonly newPage: () => string;
  /** Finds documents. */
  readonly document: DocumentPort;
  readonly emit: ((event: TelemetryEvent) => void) | undefined;
}

/** What the live views of a node are set to. */
export interface LiveSettings {
  readonly views: readonly AnyView[];
  readonly node: string;
  readonly build: string;
  readonly limits: LiveLimits;
  readonly timing: LiveTiming;
  readonly drain: DrainTiming;
  /** Whether a page of some build has other assets than this build. */
  readonly isStale: (join: JoinFrame, build: string) => boolean;
}
