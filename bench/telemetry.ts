/**
 * What listening costs: calls of an object on memory storage, one after the other, with nobody
 * listening, with a listener that does nothing, and with OpenTelemetry.
 *
 *     npm run bench -- telemetry [--runtime=node] [--quick]
 *
 * The rows take turns, so that a noisy moment meets all of them; the cost is the difference of the bests.
 */
import process from "node:process";
import * as api from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { InMemoryMetricExporter, MeterProvider } from "@opentelemetry/sdk-metrics";
import { AggregationTemporality, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BasicTracerProvider,
} from "@opentelemetry/sdk-trace-base";
import type { Sampler } from "@opentelemetry/sdk-trace-base";
import { memoryStorage } from "../adapters/memory/mod.ts";
import { otelTelemetry } from "../adapters/otel/mod.ts";
import { createHoldfast } from "../adapters/web/holdfast.ts";
import { defineObject } from "../src/object/definition.ts";
import type { Telemetry } from "../src/ports/telemetry.ts";
import { flag } from "./_lib/options.ts";
import { figure, median, table } from "./_lib/stats.ts";

const Counter = defineObject({
  name: "counter",
  vsn: 1,
  state: () => ({ count: 0 }),
  handlers: {
    increment: ({ state }) => ++state.count,
    get: { run: ({ state }) => state.count, readOnly: true },
  },
});

const CALLS = flag("quick") ? 200 : 4000;
const ROUNDS = flag("quick") ? 3 : 15;

/** Ends spans and keeps none, as an exporter does in the long run. */
const processor = {
  onStart() {},
  onEnd() {},
  forceFlush: async () => {},
  shutdown: async () => {},
};

function register(sampler: Sampler): void {
  api.trace.disable();
  api.trace.setGlobalTracerProvider(
    new BasicTracerProvider({ sampler, spanProcessors: [processor] }),
  );
}

interface Row {
  readonly name: string;
  readonly telemetry?: Telemetry;
  readonly prepare: () => void;
}

const rows: readonly Row[] = [
  { name: "nobody", prepare: () => {} },
  { name: "a listener that does nothing", telemetry: () => {}, prepare: () => {} },
  {
    name: "OpenTelemetry, nothing sampled",
    telemetry: otelTelemetry({ api }),
    prepare: () => register(new AlwaysOffSampler()),
  },
  {
    name: "OpenTelemetry, metrics only",
    telemetry: otelTelemetry({ api, spans: false }),
    prepare: () => {},
  },
  {
    name: "OpenTelemetry, everything",
    telemetry: otelTelemetry({ api }),
    prepare: () => register(new AlwaysOnSampler()),
  },
];

const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 2 ** 30 });
api.metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }));
api.context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());

/** Microseconds per call. */
async function time(call: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  for (let n = 0; n < CALLS; n++) await call();
  return (performance.now() - start) * 1000 / CALLS;
}

const subjects = rows.map(({ telemetry, ...row }) => {
  const secrets = [crypto.getRandomValues(new Uint8Array(32))];
  const holdfast = createHoldfast({
    storage: memoryStorage(),
    secrets,
    ...(telemetry !== undefined && { telemetry }),
  });
  return { ...row, holdfast, object: holdfast.object(Counter, "a"), writes: [0], reads: [0] };
});
for (const subject of subjects) subject.writes.pop();
for (const subject of subjects) subject.reads.pop();
for (let round = -2; round < ROUNDS; round++) {
  for (const { prepare, object, writes, reads } of subjects) {
    prepare();
    const [write, read] = [await time(() => object.increment()), await time(() => object.get())];
    if (round >= 0) writes.push(write) && reads.push(read);
  }
}
for (const { holdfast } of subjects) await holdfast.close();
const [none] = subjects;
const lines = subjects.map(({ name, writes, reads }) => [
  name,
  ...[writes, reads].flatMap((times, kind) => {
    const best = Math.min(...times);
    const base = Math.min(...((kind === 0 ? none?.writes : none?.reads) ?? [best]));
    return [figure(best), figure(median(times)), figure(best - base)];
  }),
]);
const head = ["who listens", "write µs, best", "median", "cost", "read µs, best", "median", "cost"];
const runtime = "Bun" in globalThis ? "bun" : "Deno" in globalThis ? "deno" : "node";
const versions: Readonly<Record<string, string | undefined>> = process.versions;
console.log(`### ${runtime} ${versions[runtime]}\n\n${table(head, lines)}`);
await reader.shutdown();
