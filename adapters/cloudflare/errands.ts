import { type Answered, doing, packErrand, settle } from "../../src/cluster/errand.ts";
import {
  type Answer,
  isErrand,
  readAnswer,
  readMessage,
  type WireErrand,
} from "../../src/cluster/wire.ts";
import { StorageUnavailableError } from "../../src/core/errors.ts";
import type { Directory } from "../../src/object/directory.ts";
import type { ObjectClass } from "../../src/object/residents.ts";
import type { Errand } from "../../src/object/router.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { DurableObjectNamespaceLike } from "./platform.ts";

/** What all keys of hosted objects begin with. */
export const namespace = "app";

/** What can be asked about an object without waking it. */
export type Look = "alarms" | "exists" | "peek";

/** What is asked of the Durable Object that hosts an object. */
export type HostAsked = WireErrand | {
  readonly look: Look;
  readonly className: string;
  readonly objectId: string;
};

/** Reads what is asked; `undefined` if it is nothing of ours. */
export function readAsked(text: string): HostAsked | undefined {
  const message: Partial<WireErrand & { readonly look: Look }> | undefined = readMessage(text);
  if (message === undefined) return undefined;
  const { look, className, objectId } = message;
  if (look === undefined) return isErrand(message) ? message : undefined;
  const known = look === "alarms" || look === "exists" || look === "peek";
  if (!known || typeof className !== "string" || typeof objectId !== "string") return undefined;
  return { look, className, objectId };
}

/** What the way to the Durable Objects stands on. */
export interface WayPorts {
  readonly binding: DurableObjectNamespaceLike;
  readonly directory: Pick<Directory, "place">;
  readonly clock: Clock;
}

/** How much later than the host, which sees to the limit itself, whoever asks gives up. */
const graceMs = 1000;

/** The way to the Durable Objects that host objects: one for each class and id. */
export class Way {
  readonly #on: WayPorts;

  constructor(on: WayPorts) {
    this.#on = on;
  }

  /** Has an errand done; rejects with what it fails with there. */
  async send(errand: Errand): Promise<unknown> {
    const { cls, key, operation, handler } = errand;
    const what = `${doing(operation, handler)} of object "${cls.spec.name}"`;
    return settle(await this.#ask(cls, key, packErrand(errand), what, "unknown"));
  }

  /** Looks at an object. */
  async look(look: Look, cls: ObjectClass, id: string, key: string): Promise<unknown> {
    const asked = { look, className: cls.spec.name, objectId: id };
    return settle(await this.#ask(cls, key, asked, `${look} of object "${cls.spec.name}"`, "none"));
  }

  async #ask(
    cls: ObjectClass,
    key: string,
    asked: HostAsked,
    what: string,
    outcome: "none" | "unknown",
  ): Promise<Answered> {
    let answer: Answer | undefined;
    let cause: unknown;
    try {
      answer = readAnswer(await this.#post(key, JSON.stringify(asked), cls.limits.limitMs));
    } catch (error) {
      cause = error;
    }
    if (answer !== undefined && answer.kind !== "refused") return answer;
    const message = `Cannot tell what became of ${what}: its Durable Object gave no answer`;
    throw new StorageUnavailableError(message, outcome, { cause });
  }

  async #post(key: string, body: string, limitMs: number): Promise<string> {
    const { binding, directory, clock } = this.#on;
    const stub = binding.get(binding.idFromName(directory.place(key)) as never);
    const late = new AbortController();
    const cancel = limitMs === Infinity
      ? () => {}
      : clock.timer(limitMs + graceMs, () => late.abort());
    try {
      const init = { method: "POST", body, signal: late.signal };
      return await (await stub.fetch("https://holdfast.invalid/", init)).text();
    } finally {
      cancel();
    }
  }
}
