/** The SDK of OpenTelemetry as applications register it, with exporters that keep everything. */
import { context, metrics, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";

/** One point of a metric. */
export interface Point {
  readonly labels: Readonly<Record<string, unknown>>;
  readonly value: number | { readonly count: number; readonly sum: number };
}

/** What was exported. */
export interface Sdk {
  /** Spans that have ended since the last reset. */
  readonly spans: readonly ReadableSpan[];
  /** The points of a metric now, since the last reset. */
  points(name: string): Promise<readonly Point[]>;
  /** Names, units and descriptions of all metrics now. */
  described(): Promise<readonly { name: string; unit: string; description: string }[]>;
  /** Begins anew. */
  reset(): Promise<void>;
}

/** Registers the SDK for this process. */
export function registerSdk(): Sdk {
  const spans = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] });
  trace.setGlobalTracerProvider(provider);
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  let measures = startMeter();
  const collect = async () => {
    measures.exporter.reset();
    await measures.reader.forceFlush();
    return measures.exporter.getMetrics().flatMap(({ scopeMetrics }) =>
      scopeMetrics.flatMap((scope) => scope.metrics)
    );
  };
  return {
    get spans() {
      return spans.getFinishedSpans();
    },
    points: async (name) =>
      (await collect()).filter(({ descriptor }) => descriptor.name === name).flatMap((
        { dataPoints },
      ) =>
        dataPoints.map(({ attributes, value }): Point => {
          if (typeof value === "number") return { labels: attributes, value };
          const { count, sum = 0 } = value as { count: number; sum?: number };
          return { labels: attributes, value: { count, sum } };
        })
      ),
    described: async () => (await collect()).map(({ descriptor }) => descriptor),
    reset: async () => {
      spans.reset();
      metrics.disable();
      await measures.provider.shutdown();
      measures = startMeter();
    },
  };
}

function startMeter() {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 2 ** 30 });
  const provider = new MeterProvider({ readers: [reader] });
  metrics.setGlobalMeterProvider(provider);
  return { exporter, reader, provider };
}

/** The parent of a span, by name; `undefined` for a root. */
export function parentOf(sdk: Sdk, span: ReadableSpan | undefined): string | undefined {
  const id = span?.parentSpanContext?.spanId;
  return sdk.spans.find((other) => other.spanContext().spanId === id)?.name;
}

/** A time of the SDK in milliseconds. */
export function ms([seconds, nanos]: readonly [number, number]): number {
  return seconds * 1000 + nanos / 1e6;
}
