import type { OtelApi, OtelAttributes, OtelCounter, OtelHistogram, OtelMeter } from "./api.ts";
import { type Fields, labelsOf } from "./attributes.ts";
import type { Mapping } from "./events.ts";
import { scope } from "./scope.ts";

/** Bounds in seconds: from a write to local disk, some 0.1 ms, to the time limit of a call. */
const bounds = [0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]
  .concat([10, 30]);

/** Counts and times events. Instruments are made when they are first used. */
export class Metrics {
  readonly #api: OtelApi;
  #provider: unknown;
  #meter: OtelMeter | undefined;
  readonly #counters: Map<string, OtelCounter> = new Map();
  readonly #upDown: Map<string, OtelCounter> = new Map();
  readonly #histograms: Map<string, OtelHistogram> = new Map();

  constructor(api: OtelApi) {
    this.#api = api;
  }

  /** Takes in an event. */
  take(event: Fields, mapping: Mapping): void {
    const meter = this.#current();
    const { phase, durationMs, name } = event;
    if (phase !== undefined && mapping.active !== undefined) this.#active(meter, event, mapping);
    if (phase === "start") return;
    const labels = labelsOf(event, mapping);
    if (typeof durationMs === "number") {
      const metric = mapping.duration ?? `${name}.duration`;
      this.#histogram(meter, metric, mapping.about).record(durationMs / 1000, labels);
    }
    if (phase === undefined) this.#counter(meter, name, "{event}", mapping.about).add(1, labels);
    if (mapping.measures === undefined) return;
    for (const [field, measure] of Object.entries(mapping.measures)) {
      const value = event[field];
      if (typeof value !== "number") continue;
      const { metric, unit, about } = measure;
      if (unit === "ms") this.#histogram(meter, metric, about).record(value / 1000, labels);
      else this.#counter(meter, metric, unit, about).add(value, labels);
    }
  }

  /** Labels are those that the start has: what it comes to is not known yet. */
  #active(meter: OtelMeter, event: Fields, { active = "", operation }: Mapping): void {
    const labels: OtelAttributes = {};
    if (operation !== undefined) labels["holdfast.operation"] = operation;
    if (typeof event["class"] === "string") labels["holdfast.class"] = event["class"];
    let counter = this.#upDown.get(active);
    if (counter === undefined) {
      const description = "Calls under way";
      counter = meter.createUpDownCounter(active, { unit: "{call}", description });
      this.#upDown.set(active, counter);
    }
    counter.add(event["phase"] === "start" ? 1 : -1, labels);
  }

  /** Unlike a tracer, a meter that was taken before the SDK was registered never comes to life. */
  #current(): OtelMeter {
    const provider = this.#api.metrics.getMeterProvider();
    if (this.#meter !== undefined && provider === this.#provider) return this.#meter;
    this.#provider = provider;
    for (const made of [this.#counters, this.#upDown, this.#histograms]) made.clear();
    return this.#meter = provider.getMeter(scope);
  }

  #counter(meter: OtelMeter, name: string, unit: string, description: string): OtelCounter {
    let counter = this.#counters.get(name);
    if (counter === undefined) {
      counter = meter.createCounter(name, { unit, description });
      this.#counters.set(name, counter);
    }
    return counter;
  }

  #histogram(meter: OtelMeter, name: string, description: string): OtelHistogram {
    let histogram = this.#histograms.get(name);
    if (histogram === undefined) {
      const advice = { explicitBucketBoundaries: bounds };
      histogram = meter.createHistogram(name, { unit: "s", description, advice });
      this.#histograms.set(name, histogram);
    }
    return histogram;
  }
}
