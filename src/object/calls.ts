import { HoldfastError, InvalidArgumentsError } from "../core/errors.ts";
import { checkSchema } from "../core/schema.ts";
import type { Around, CallEvent, TelemetryEvent } from "../ports/telemetry.ts";
import type { Cordons } from "./cordons.ts";
import type { Engine } from "./engine.ts";
import type { HandlerSpec } from "./model.ts";
import type { ObjectClass, Residents } from "./residents.ts";
import { type CallWork, HandlerTask, readBeside, type TurnEnv } from "./turns.ts";
import { type Current, type EnginePorts, logReference } from "./types.ts";

/** Options of a call, or of every call of a client. */
export interface CallOptions {
  /**
   * See what the store holds now, not only what this process remembers: of use where several
   * processes write to the same object. A read-only handler then waits its turn. @default {false}
   */
  readonly fresh?: boolean;
  /** Refuse with `ERR_UNKNOWN_OBJECT` where nothing is stored yet. @default {false} */
  readonly existing?: boolean;
}

/** A call to be made. */
export interface Call {
  readonly cls: ObjectClass;
  readonly id: string;
  readonly key: string;
  readonly handler: string;
  readonly args: readonly unknown[];
  readonly options: CallOptions;
  /** The keys of the objects whose calls have led here. */
  readonly chain: readonly string[];
}

/** What calls stand on. */
export interface CallPorts {
  readonly ports: Pick<EnginePorts, "clock" | "emit">;
  readonly engine: Engine;
  readonly residents: Residents;
  readonly cordons: Cordons;
  readonly env: TurnEnv;
}

/** Makes calls: finds the handler, checks the arguments, and sees to the deadline. */
export class Calls {
  readonly #on: CallPorts;
  #told = 0;

  constructor(on: CallPorts) {
    this.#on = on;
  }

  /** Makes a call. Rejects with what the handler threw, or a {@linkcode HoldfastError}. */
  make(call: Call): Promise<unknown> {
    const { emit } = this.#on.ports;
    return emit === undefined ? this.#make(call) : this.#tell(call, emit);
  }

  #make(call: Call): Promise<unknown> {
    const { cls, key, args, chain } = call;
    const refusal = this.#on.cordons.refusal(cls.spec.name, key, chain);
    if (refusal !== undefined) return Promise.reject(refusal);
    const handler = cls.spec.handlers.get(call.handler);
    if (handler === undefined) return Promise.reject(unknownHandler(call));
    // One that runs beside others waits for nobody.
    const beside = handler.readOnly && call.options.fresh !== true;
    if (!beside && chain.includes(key)) return Promise.reject(reentrant(call));
    if (handler.args === undefined) return this.#submit(call, handler);
    return Promise.resolve(checkSchema(handler.args, args)).then((checked) => {
      if (checked.ok) return this.#submit(call, handler);
      const what = `"${call.handler}" of object "${cls.spec.name}"`;
      throw new InvalidArgumentsError(what, checked.problems);
    });
  }

  #submit(call: Call, handler: HandlerSpec): Promise<unknown> {
    const { cls, id, key, args, options } = call;
    const { residents, env, engine } = this.#on;
    const { existing = false } = options;
    return new Promise((resolve, reject) => {
      const limit = cls.limits.limit(reject);
      const member = residents.use(cls, id, key, true);
      limit.begin(member.usedAt);
      const { run, readOnly } = handler;
      const fresh = options.fresh === true || member.deleted;
      const beside = readOnly && !fresh;
      const work: CallWork = { run, args, readOnly, beside, chain: call.chain, limit };
      const task = new HandlerTask(env, member, work, existing, resolve, reject);
      if (beside) {
        this.#durable(key)
          .then((current) => readBeside(env, member, current, work, existing))
          .then((reply) => task.resolve(reply), (error) => task.reject(error));
        return;
      }
      engine.submit(key, task, fresh, cls.spec.durability === "behind");
    });
  }

  /** The last durable state; loads it through the mailbox if nobody has yet, once for all. */
  #durable(key: string): Promise<Current> {
    const { engine } = this.#on;
    const known = engine.durable(key);
    if (known !== undefined) return Promise.resolve(known);
    return engine.run(key, (current) => ({ kind: "keep", reply: current }));
  }

  async #tell(call: Call, emit: (event: TelemetryEvent) => void): Promise<unknown> {
    const { ports: { clock }, engine } = this.#on;
    const { cls, key, handler } = call;
    const about = {
      name: "holdfast.object.call",
      id: `${engine.incarnation}.${++this.#told}`,
      ref: logReference(key),
      class: cls.spec.name,
      handler,
    } satisfies Partial<CallEvent>;
    const startedAt = clock.monotonic();
    let run = (): Promise<unknown> => this.#make(call);
    const within = (around: Around): void => {
      const inner = run;
      run = () => safely(around, inner);
    };
    emit({ ...about, phase: "start", within });
    try {
      const reply = await run();
      emit({ ...about, phase: "stop", durationMs: clock.monotonic() - startedAt });
      return reply;
    } catch (error) {
      const durationMs = clock.monotonic() - startedAt;
      emit({ ...about, phase: "exception", durationMs, error });
      throw error;
    }
  }
}

/** A listener's own failure must not become the caller's. */
function safely(around: Around, run: () => Promise<unknown>): Promise<unknown> {
  let running: Promise<unknown> | undefined;
  try {
    around(() => running ??= run());
  } catch {
    // Nobody is left to tell.
  }
  return running ?? run();
}

function unknownHandler({ cls, handler }: Call): HoldfastError {
  return new HoldfastError(
    "ERR_UNKNOWN_HANDLER",
    `Cannot call ${JSON.stringify(handler)}: object "${cls.spec.name}" has no such handler`,
  );
}

function reentrant({ cls, handler }: Call): HoldfastError {
  return new HoldfastError(
    "ERR_REENTRANT",
    `Cannot call "${handler}" of object "${cls.spec.name}": it waits for this very call`,
  );
}
