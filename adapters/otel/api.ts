/** A context of OpenTelemetry: what is active where. Nothing of it is used but itself. */
export interface OtelContext {
  getValue(key: symbol): unknown;
}

/** Values of attributes, as far as they are given here. */
export type OtelAttributes = Record<string, string | number | boolean>;

/** What is used of a span. */
export interface OtelSpan {
  setAttributes(attributes: OtelAttributes): unknown;
  addEvent(name: string, attributes?: OtelAttributes, time?: number): unknown;
  setStatus(status: { code: number; message?: string }): unknown;
  updateName(name: string): unknown;
  isRecording(): boolean;
  end(time?: number): void;
}

/** What is used of a tracer. */
export interface OtelTracer {
  startSpan(
    name: string,
    options?: { startTime?: number; attributes?: OtelAttributes; root?: boolean },
    context?: OtelContext,
  ): OtelSpan;
}

/** What is used of a counter, or of one that can go down. */
export interface OtelCounter {
  add(value: number, attributes?: OtelAttributes, context?: OtelContext): void;
}

/** What is used of a histogram. */
export interface OtelHistogram {
  record(value: number, attributes?: OtelAttributes, context?: OtelContext): void;
}

/** How an instrument is described. */
export interface OtelInstrumentOptions {
  description?: string;
  unit?: string;
  advice?: { explicitBucketBoundaries?: number[] };
}

/** What is used of a meter. */
export interface OtelMeter {
  createCounter(name: string, options?: OtelInstrumentOptions): OtelCounter;
  createUpDownCounter(name: string, options?: OtelInstrumentOptions): OtelCounter;
  createHistogram(name: string, options?: OtelInstrumentOptions): OtelHistogram;
}

/** What is used of the module `@opentelemetry/api`, version 1. */
export interface OtelApi {
  /** Which context is active, and how to run something in another. */
  readonly context: {
    active(): OtelContext;
    with<T>(context: OtelContext, run: () => T): T;
  };
  /** Spans. */
  readonly trace: {
    getTracer(name: string, version?: string): OtelTracer;
    getSpan(context: OtelContext): OtelSpan | undefined;
    setSpan(context: OtelContext, span: never): OtelContext;
  };
  /** Metrics. */
  readonly metrics: {
    getMeterProvider(): { getMeter(name: string, version?: string): OtelMeter };
  };
}

/**
 * Loads the module when it is asked for, so that only those who use it need to have it.
 *
 * @param name Not a literal where it is imported: who uses no OpenTelemetry need not have it.
 * @throws {Error} If it is missing. The message says how to install it.
 */
export async function importApi(name = "@opentelemetry/api"): Promise<OtelApi> {
  try {
    return await import(name);
  } catch (cause) {
    const command = "Deno" in globalThis ? `deno add npm:${name}` : `npm install ${name}`;
    throw new Error(`Cannot use OpenTelemetry: "${name}" is missing, run "${command}"`, { cause });
  }
}
