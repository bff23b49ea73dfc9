import type { Telemetry } from "../../src/ports/telemetry.ts";
import { importApi, type OtelApi } from "./api.ts";
import type { Fields } from "./attributes.ts";
import { mappingOf } from "./events.ts";
import { Metrics } from "./metrics.ts";
import { Spans, type StorageSpans } from "./spans.ts";
import { checkKnown, type OptionNames, wrongArgument } from "../../src/core/options.ts";

/** Options of {@linkcode otelTelemetry}, apart from the module. */
export interface OtelSettings {
  /** Make spans. @default {true} */
  readonly spans?: boolean;
  /** Make metrics. @default {true} */
  readonly metrics?: boolean;
  /**
   * Which storage calls become spans: those that are made within a span, such as that of a call or of a
   * request; all, those of the background included, each a trace of its own; or none.
   * @default {"nested"}
   */
  readonly storageSpans?: StorageSpans;
  /** Milliseconds since the Unix epoch, with fractions. @default the machine's clock */
  readonly now?: () => number;
}

/** Options of {@linkcode otelTelemetry}. */
export interface OtelOptions extends OtelSettings {
  /** The module `@opentelemetry/api`, version 1.9 or newer. */
  readonly api: OtelApi;
}

const optionNames: OptionNames<OtelOptions> = {
  api: true,
  spans: true,
  metrics: true,
  storageSpans: true,
  now: true,
};

/**
 * Makes a listener that turns the events of this library into spans and metrics of OpenTelemetry.
 *
 * A call of an object is a span within the one that is active where it was made; its storage calls, and
 * what its handler does, are within that. Where one write stands for several calls, it is within the
 * first of them. Metrics have labels with few values only (class, handler, operation, result,
 * `error.type`); `holdfast.ref`, which names a record, is told by spans. An error is told by its code or
 * class, and in words only if it is one of this library's, which hold no stored value.
 *
 * The SDK, or that of Deno (`OTEL_DENO=true`), may be registered before or after.
 *
 * @param options The module, and what to make.
 * @returns What `createHoldfast({ telemetry })` and `subscribe()` take.
 * @throws {TypeError} If an option makes no sense.
 *
 * @example Handing in the module
 * ```ts
 * import { createHoldfast } from "@holdfast/holdfast";
 * import { memoryStorage } from "@holdfast/holdfast/memory";
 * import { otelTelemetry } from "@holdfast/holdfast/otel";
 * import * as api from "@opentelemetry/api";
 *
 * await using holdfast = createHoldfast({
 *   storage: memoryStorage(),
 *   secrets: [crypto.getRandomValues(new Uint8Array(32))],
 *   telemetry: otelTelemetry({ api }),
 * });
 * ```
 */
export function otelTelemetry(options: OtelOptions): Telemetry {
  checkKnown(options, optionNames, "use OpenTelemetry");
  const { api, spans = true, metrics = true, storageSpans = "nested", now = preciseNow() } =
    options;
  if (
    typeof api?.trace?.getTracer !== "function" || typeof api.context?.with !== "function" ||
    typeof api.metrics?.getMeterProvider !== "function"
  ) throw wrongArgument('Cannot use OpenTelemetry: "api" is not the module "@opentelemetry/api"');
  if (!["nested", "all", "none"].includes(storageSpans)) {
    throw wrongArgument(
      'Cannot use OpenTelemetry: "storageSpans" is not "nested", "all" or "none"',
    );
  }
  const tracing = spans ? new Spans(api, storageSpans, now) : undefined;
  const measuring = metrics ? new Metrics(api) : undefined;
  return (event) => {
    // Fields are told apart by name, so that a new event needs no code.
    const fields = event as unknown as Fields;
    const mapping = mappingOf(event.name);
    tracing?.take(fields, mapping);
    measuring?.take(fields, mapping);
  };
}

/**
 * Makes the listener of {@linkcode otelTelemetry} with the module `@opentelemetry/api`, which is loaded
 * now.
 *
 * @param settings What to make.
 * @returns What `createHoldfast({ telemetry })` and `subscribe()` take.
 * @throws {Error} If the module is not installed. The message says what to do.
 *
 * @example
 * ```ts
 * import { loadOtelTelemetry } from "@holdfast/holdfast/otel";
 *
 * const telemetry = await loadOtelTelemetry({ storageSpans: "none" });
 * ```
 */
export async function loadOtelTelemetry(settings: OtelSettings = {}): Promise<Telemetry> {
  return otelTelemetry({ ...settings, api: await importApi() });
}

/** How far the two clocks may be apart before the wall clock is believed again. */
const driftMs = 20;

/**
 * The wall clock with the precision of the other one: whole milliseconds would have a span begin before
 * the one it is within.
 */
function preciseNow(): () => number {
  let offset = Date.now() - performance.now();
  return () => {
    const now = offset + performance.now();
    const wall = Date.now();
    if (Math.abs(wall - now) <= driftMs) return now;
    offset = wall - performance.now();
    return wall;
  };
}
