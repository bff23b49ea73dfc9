import { wrongArgument } from "../../src/core/options.ts";
import type { EnginePorts } from "../../src/object/types.ts";
import type { Telemetry, TelemetryEvent } from "../../src/ports/telemetry.ts";
import { snapshot } from "./async_context.ts";

/** Who hears of events. While nobody does, none are made. */
export class Listeners {
  readonly #listeners: Set<Telemetry> = new Set();
  /** Kept up to date by whoever comes and goes: it is asked for several times a request. */
  #emit: ((event: TelemetryEvent) => void) | undefined;

  /** @param first The listener given at creation, if one was. */
  constructor(first: Telemetry | undefined) {
    if (first !== undefined) this.#add(first);
  }

  /** Tells everybody; `undefined` while nobody listens. */
  get emit(): ((event: TelemetryEvent) => void) | undefined {
    return this.#emit;
  }

  /**
   * Adds a listener for some events.
   *
   * @param pattern The name of an event, or what names begin with and `*`.
   * @returns A function that removes it.
   * @throws {TypeError} If an argument is none.
   */
  subscribe(pattern: string, listener: Telemetry): () => void {
    if (typeof pattern !== "string" || !/^[a-z_.]+$|^[a-z_.]*\*$/.test(pattern)) {
      throw wrongArgument(
        'Cannot subscribe: the pattern is neither a name nor a beginning and "*"',
      );
    }
    if (typeof listener !== "function") {
      throw wrongArgument("Cannot subscribe: the listener is not a function");
    }
    const beginning = pattern.endsWith("*") ? pattern.slice(0, -1) : undefined;
    const heard: Telemetry = (event) => {
      const { name } = event;
      const isFor = beginning === undefined ? name === pattern : name.startsWith(beginning);
      return isFor ? listener(event) : undefined;
    };
    this.#add(heard);
    return () => this.#remove(heard);
  }

  #add(listener: Telemetry): void {
    this.#listeners.add(listener);
    this.#emit = this.#tell;
  }

  #remove(listener: Telemetry): void {
    this.#listeners.delete(listener);
    if (this.#listeners.size === 0) this.#emit = undefined;
  }

  readonly #tell = (event: TelemetryEvent): void => {
    for (const listener of this.#listeners) {
      try {
        const telling: unknown = listener(event);
        if (telling instanceof Promise) telling.catch(() => {});
      } catch {
        // A listener's own failure, then or later, must not become the application's; nobody is left to tell.
      }
    }
  };
}

/** What an engine stands on that tells these listeners. */
export function enginePorts(
  ports: Pick<EnginePorts, "clock" | "random" | "storage">,
  listeners: Listeners,
): EnginePorts {
  return {
    ...ports,
    get emit() {
      return listeners.emit;
    },
    get carry() {
      return listeners.emit === undefined ? undefined : snapshot;
    },
  };
}
