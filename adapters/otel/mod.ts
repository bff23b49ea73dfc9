/**
 * Spans and metrics of OpenTelemetry from what happens in Holdfast.
 *
 * @module
 */
export { loadOtelTelemetry, otelTelemetry } from "./telemetry.ts";
export type { OtelOptions, OtelSettings } from "./telemetry.ts";
export type { StorageSpans } from "./spans.ts";
export type {
  OtelApi,
  OtelAttributes,
  OtelContext,
  OtelCounter,
  OtelHistogram,
  OtelInstrumentOptions,
  OtelMeter,
  OtelSpan,
  OtelTracer,
} from "./api.ts";
