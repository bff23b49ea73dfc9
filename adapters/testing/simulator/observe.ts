import type { AnyObjectDefinition, HandlerSpec, ObjectSpec } from "../../../src/object/model.ts";
import type { Holdfast } from "../../web/holdfast.ts";

/** Told of each call that a handler makes: makes it, and answers as it does. */
export type OnInnerCall = (
  name: string,
  id: string,
  handler: string,
  args: readonly unknown[],
  call: () => Promise<unknown>,
) => Promise<unknown>;

/** The same definition, whose calls of other objects can be seen: nobody else would know of them. */
export function observed(
  definition: AnyObjectDefinition,
  onCall: OnInnerCall,
): AnyObjectDefinition {
  const { spec } = definition;
  const each = (run: HandlerSpec["run"]) => watched(run, onCall);
  const hooks = {
    afterLoad: spec.afterLoad && each(spec.afterLoad),
    onHibernate: spec.onHibernate && each(spec.onHibernate),
    onShutdown: spec.onShutdown && each(spec.onShutdown),
  };
  const seen: ObjectSpec = {
    ...spec,
    ...hooks,
    handlers: new Map(
      Array.from(spec.handlers, ([name, given]) => [name, { ...given, run: each(given.run) }]),
    ),
    alarms: new Map(Array.from(spec.alarms, ([name, run]) => [name, each(run)])),
  };
  return { ...definition, spec: seen };
}

type Context = Parameters<HandlerSpec["run"]>[0];
type Call = (
  target: AnyObjectDefinition | string,
  id: string,
  handler: string,
  ...args: readonly unknown[]
) => Promise<unknown>;

function watched(run: HandlerSpec["run"], onCall: OnInnerCall): HandlerSpec["run"] {
  return (context, ...args) => run(new Proxy(context, new Watch(onCall)), ...args);
}

/** A context as it is, but for `call`. */
class Watch implements ProxyHandler<Context> {
  readonly #onCall: OnInnerCall;

  constructor(onCall: OnInnerCall) {
    this.#onCall = onCall;
  }

  get(context: Context, key: PropertyKey): unknown {
    // Of the context itself, which keeps what it has in private fields.
    if (key !== "call") return Reflect.get(context, key);
    const call = context.call as Call;
    const watchedCall: Call = (target, id, handler, ...args) => {
      // By name: what a node serves is not the definition that the handler knows.
      const name = typeof target === "string" ? target : target.name;
      return this.#onCall(name, id, handler, args, () => call(name, id, handler, ...args));
    };
    return watchedCall;
  }

  set(context: Context, key: PropertyKey, value: unknown): boolean {
    return Reflect.set(context, key, value);
  }
}

/** A node as somebody sees it who knows the definitions, not what is served in their place. */
export function facade(
  holdfast: Holdfast,
  served: ReadonlyMap<string, AnyObjectDefinition>,
): Holdfast {
  const known = (target: AnyObjectDefinition | string): AnyObjectDefinition | string =>
    typeof target === "string" ? target : served.get(target.name) ?? target;
  const { objects } = holdfast;
  const shown: Holdfast["objects"] = {
    ...objects,
    list: (target, options) => objects.list(known(target), options),
    exists: (target, id) => objects.exists(known(target), id),
    peek: (target, id) => objects.peek(known(target), id),
    alarms: (target, id) => objects.alarms(known(target), id),
    fire: (target, id, alarm) => objects.fire(known(target), id, alarm),
    delete: (target, id) => objects.delete(known(target), id),
    stop: (target, id) => objects.stop(known(target), id),
    start: (target, id) => objects.start(known(target), id),
    cordon: (target, id) => objects.cordon(known(target), id),
    uncordon: (target, id) => objects.uncordon(known(target), id),
  };
  // The types say what a definition is, and what is served has the same handlers.
  const object =
    ((definition, id, options) =>
      holdfast.object(known(definition) as typeof definition, id, options)) as Holdfast["object"];
  const call =
    ((target: AnyObjectDefinition | string, ...rest: readonly unknown[]) =>
      (holdfast.call as (...args: readonly unknown[]) => Promise<unknown>)(
        known(target),
        ...rest,
      )) as Holdfast["call"];
  return { ...holdfast, object, call, objects: shown };
}
