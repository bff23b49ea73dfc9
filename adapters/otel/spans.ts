import type { Around } from "../../src/ports/telemetry.ts";
import type { OtelApi, OtelContext, OtelSpan } from "./api.ts";
import { detailsOf, errorText, errorType, type Fields, labelsOf } from "./attributes.ts";
import type { Mapping } from "./events.ts";
import { scope } from "./scope.ts";

/** Which storage calls become spans. */
export type StorageSpans = "nested" | "all" | "none";

/** `SpanStatusCode.ERROR`. */
const failed = 2;

/** Makes spans of events. */
export class Spans {
  readonly #api: OtelApi;
  readonly #storage: StorageSpans;
  readonly #now: () => number;
  /** Calls under way, by the id of the call. */
  readonly #open: Map<unknown, OtelSpan> = new Map();

  constructor(api: OtelApi, storage: StorageSpans, now: () => number) {
    this.#api = api;
    this.#storage = storage;
    this.#now = now;
  }

  /** Takes in an event. */
  take(event: Fields, mapping: Mapping): void {
    const { name, phase, durationMs } = event;
    if (name.startsWith("holdfast.storage.")) {
      if (phase !== "start") this.#storageCall(event, mapping);
    } else if (phase === "start") { if (event["id"] !== undefined) this.#begin(event, mapping); }
    else if (phase !== undefined) this.#end(event, mapping);
    else if (typeof durationMs === "number") this.#past(event, mapping, this.#api.context.active());
    else this.#point(event, mapping);
  }

  /** A span that others are within: it has to be there before them. */
  #begin(event: Fields, mapping: Mapping): void {
    const { context, trace } = this.#api;
    const parent = context.active();
    // For the sampler; the rest comes when it is known that anybody wants it.
    const attributes = labelsOf(event, mapping);
    const startTime = this.#now();
    const span = this.#tracer.startSpan(nameOf(event, mapping), { startTime, attributes }, parent);
    this.#open.set(event["id"], span);
    const { within } = event;
    if (typeof within !== "function") return;
    // A span is made by the same API that takes it.
    const inside = trace.setSpan(parent, span as never);
    const around: Around = (run) => context.with(inside, run);
    within(around);
  }

  #end(event: Fields, mapping: Mapping): void {
    const span = this.#open.get(event["id"]);
    // It began before this listener did.
    if (span === undefined) return this.#past(event, mapping, this.#api.context.active());
    this.#open.delete(event["id"]);
    if (errorType(event["error"]) === "ERR_UNKNOWN_HANDLER") {
      span.updateName(nameOf({ ...event, handler: "_OTHER" }, mapping));
    }
    this.#finish(span, event, mapping);
  }

  #storageCall(event: Fields, mapping: Mapping): void {
    if (this.#storage === "none") return;
    const parent = this.#api.context.active();
    const alone = this.#api.trace.getSpan(parent) === undefined;
    if (this.#storage === "all" || !alone) this.#past(event, mapping, parent);
  }

  /** Nothing is within it, so it can be made when it is over. */
  #past(event: Fields, mapping: Mapping, parent: OtelContext): void {
    const { durationMs } = event;
    const startTime = this.#now() - (typeof durationMs === "number" ? durationMs : 0);
    const span = this.#tracer.startSpan(nameOf(event, mapping), { startTime }, parent);
    this.#finish(span, event, mapping);
  }

  #finish(span: OtelSpan, event: Fields, mapping: Mapping): void {
    if (span.isRecording()) {
      span.setAttributes(detailsOf(event, mapping));
      const { error } = event;
      if (error !== undefined) {
        const message = errorText(error);
        span.setStatus({ code: failed, ...(message !== undefined && { message }) });
      }
    }
    span.end(this.#now());
  }

  /** What has no duration is told by the span it happened in, if there is one. */
  #point(event: Fields, mapping: Mapping): void {
    const span = this.#api.trace.getSpan(this.#api.context.active());
    if (span?.isRecording() !== true) return;
    span.addEvent(event.name, detailsOf(event, mapping), this.#now());
  }

  /** Asked for each time: one that was taken before the SDK was registered is as good, but slower. */
  get #tracer(): ReturnType<OtelApi["trace"]["getTracer"]> {
    return this.#api.trace.getTracer(scope);
  }
}

/** The kind of work and what it is about: few values. */
function nameOf(event: Fields, { span }: Mapping): string {
  const { class: type, handler, alarm } = event;
  if (span === undefined) return event.name;
  if (typeof type !== "string") return span;
  const what = handler ?? alarm;
  return typeof what === "string" ? `${span} ${type}.${what}` : `${span} ${type}`;
}
