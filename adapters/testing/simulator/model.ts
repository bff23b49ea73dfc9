import { canonicalText } from "../../../src/core/canonical.ts";
import type { JsonObject, JsonValue } from "../../../src/core/json.ts";
import type { HandlerSpec, ObjectContext, ObjectSpec } from "../../../src/object/model.ts";
import type { Outcome } from "./linearizable.ts";

/** What is stored of an object, as far as it does not depend on chance or time. */
export type Snapshot =
  | { readonly kind: "absent" }
  | { readonly kind: "deleted" }
  | {
    readonly kind: "live";
    readonly vsn: number;
    readonly user: JsonObject;
    /** Which try comes next, by the name of the alarm. */
    readonly alarms: Readonly<Record<string, number>>;
    /** The names of those that failed too often. */
    readonly parked: readonly string[];
  };

type Live = Extract<Snapshot, { readonly kind: "live" }>;

/** Thrown where a handler does what nobody can foretell: it asks for the time, chance, another object. */
export class Unmodelled extends Error {}

/** Reads a record as it is stored, without the code under test; `undefined` stands for none. */
export function snapshotOf(record: string | undefined): Snapshot {
  if (record === undefined) return { kind: "absent" };
  const { state, ended } = JSON.parse(record) as {
    readonly state?: {
      readonly vsn: number;
      readonly state: JsonObject;
      readonly alarms?: Readonly<Record<string, { readonly attempt: number }>>;
      readonly parked?: Readonly<Record<string, unknown>>;
    };
    readonly ended?: number;
  };
  if (ended !== undefined || state === undefined) return { kind: "deleted" };
  const alarms = Object.entries(state.alarms ?? {}).map(([name, { attempt }]) => [name, attempt]);
  return {
    kind: "live",
    vsn: state.vsn,
    user: state.state,
    alarms: Object.fromEntries(alarms),
    parked: Object.keys(state.parked ?? {}),
  };
}

/** Writes a snapshot so that equal ones have equal text. */
export function textOf(snapshot: Snapshot): string {
  if (snapshot.kind !== "live") return snapshot.kind;
  const { vsn, user, alarms, parked } = snapshot;
  const rest = [
    vsn === 1 ? "" : `, vsn ${vsn}`,
    Object.keys(alarms).length === 0 ? "" : `, alarms ${canonicalText(alarms)}`,
    parked.length === 0 ? "" : `, parked ${canonicalText([...parked].sort())}`,
  ];
  return canonicalText(user) + rest.join("");
}

/** What an answer is compared by. */
export function replyText(reply: unknown): string {
  return JSON.stringify(reply) ?? String(reply);
}

/** What an error is compared by: its code if it is one of ours. */
export function errorText(error: unknown): string {
  const { code, name, message } = error as { code?: unknown; name?: unknown; message?: unknown };
  return typeof code === "string" ? `! ${code}` : `! ${name}: ${message}`;
}

/** One class of objects, each call run by itself on plain data: what the engine must be equal to. */
export class Model {
  readonly #specs: readonly ObjectSpec[];
  readonly #tries: number;
  readonly #snapshots: Map<string, Snapshot> = new Map();
  readonly #happenings: Map<string, readonly string[] | Promise<readonly string[]>> = new Map();
  readonly #id: string;

  /**
   * @param specs Every definition of the class that a node has served.
   * @param tries How often an alarm is tried before it is parked.
   */
  constructor(id: string, specs: readonly ObjectSpec[], tries: number) {
    this.#id = id;
    this.#specs = specs;
    this.#tries = tries;
  }

  /** Takes a snapshot in; its text stands for it from then on. */
  enter(snapshot: Snapshot): string {
    const text = textOf(snapshot);
    if (!this.#snapshots.has(text)) this.#snapshots.set(text, snapshot);
    return text;
  }

  /** Runs a handler alone on a state. */
  call(
    spec: ObjectSpec,
    { run, readOnly }: HandlerSpec,
    args: readonly unknown[],
    state: string,
  ): Outcome | Promise<Outcome> {
    const snapshot = this.#at(state);
    if (snapshot.kind === "deleted") return { reply: "! ERR_DELETED", next: state };
    const fitted = fit(spec, snapshot);
    if (typeof fitted === "string") return { reply: fitted, next: state };
    const done = (ran: Ran): Outcome => {
      const refused = ran.reply.startsWith("! ");
      const same = refused || readOnly || textOf(ran.live) === textOf(fitted.live);
      const unchanged = fitted.migrated && !readOnly ? this.enter(fitted.live) : state;
      return { reply: ran.reply, next: same ? unchanged : this.enter(ran.live) };
    };
    const ran = this.#run(run, structuredClone(args), fitted.live);
    return ran instanceof Promise ? ran.then(done) : done(ran);
  }

  /** Deletes the object, if there is one. */
  end(state: string): Outcome {
    const there = this.#at(state).kind === "live";
    return { reply: String(there), next: there ? this.enter({ kind: "deleted" }) : state };
  }

  /** What may become of a state without anybody calling: alarms, hooks, an empty record. */
  happenings(state: string): readonly string[] | Promise<readonly string[]> {
    const known = this.#happenings.get(state);
    if (known !== undefined) return known;
    const found = this.#happen(state);
    this.#happenings.set(state, found);
    return found;
  }

  #happen(state: string): readonly string[] | Promise<readonly string[]> {
    const snapshot = this.#at(state);
    if (snapshot.kind === "deleted") return [];
    const all = this.#specs.flatMap((spec) => {
      const fitted = fit(spec, snapshot);
      if (typeof fitted === "string") return [];
      const { live } = fitted;
      const alarms = Object.keys(live.alarms).map((name) => this.#fire(spec, live, name));
      const hooks = [spec.afterLoad, spec.onHibernate, spec.onShutdown]
        .filter((hook) => hook !== undefined)
        .map((hook) => this.#hook(hook, live));
      // A handler may have put back what it had changed: then there is a record with nothing new.
      return [...alarms, ...hooks, this.enter(live)];
    });
    return all.some((next) => next instanceof Promise)
      ? Promise.all(all)
      : all as readonly string[];
  }

  #hook(hook: HandlerSpec["run"], live: Live): string | Promise<string> {
    const done = (ran: Ran) => this.enter(ran.reply.startsWith("! ") ? live : ran.live);
    const ran = this.#run(hook, [], live);
    return ran instanceof Promise ? ran.then(done) : done(ran);
  }

  #fire(spec: ObjectSpec, live: Live, name: string): string | Promise<string> {
    const attempt = live.alarms[name] ?? 1;
    const { [name]: _, ...others } = live.alarms;
    const handler = spec.alarms.get(name);
    if (handler === undefined) return this.enter(live);
    const info = {
      attempt,
      get scheduledAt(): number {
        throw new Unmodelled("an alarm asks when it was set to fire");
      },
    };
    const done = (ran: Ran): string => {
      if (!ran.reply.startsWith("! ")) return this.enter(ran.live);
      if (attempt < this.#tries) {
        return this.enter({ ...live, alarms: { ...others, [name]: attempt + 1 } });
      }
      return this.enter({ ...live, alarms: others, parked: [...live.parked, name] });
    };
    const ran = this.#run(handler, [info], { ...live, alarms: others });
    return ran instanceof Promise ? ran.then(done) : done(ran);
  }

  #run(run: HandlerSpec["run"], args: readonly unknown[], live: Live): Ran | Promise<Ran> {
    const scratch = new Scratch(this.#id, live);
    const threw = (error: unknown): Ran => {
      if (scratch.unmodelled !== undefined) throw scratch.unmodelled;
      if (error instanceof Unmodelled) throw error;
      return { reply: errorText(error), live };
    };
    const returned = (reply: unknown): Ran => {
      if (scratch.unmodelled !== undefined) throw scratch.unmodelled;
      return { reply: replyText(reply), live: scratch.result(live) };
    };
    try {
      const value = run(scratch.context, ...args);
      return value instanceof Promise ? value.then(returned, threw) : returned(value);
    } catch (error) {
      return threw(error);
    }
  }

  #at(state: string): Snapshot {
    const snapshot = this.#snapshots.get(state);
    if (snapshot === undefined) {
      throw new Error("Cannot go on from a state that nobody has entered");
    }
    return snapshot;
  }
}

/** What a run has come to. */
interface Ran {
  readonly reply: string;
  readonly live: Live;
}

/** A copy of an object that a handler may do with as it likes. */
class Scratch {
  #user: JsonObject;
  #alarms: Record<string, number>;
  #parked: readonly string[];
  unmodelled: Unmodelled | undefined;
  readonly context: ObjectContext<JsonObject>;

  constructor(id: string, live: Live) {
    this.#user = structuredClone(live.user);
    this.#alarms = { ...live.alarms };
    this.#parked = live.parked;
    this.context = this.#context(id);
  }

  result({ vsn }: Live): Live {
    // As it will be read back.
    const user = JSON.parse(JSON.stringify(this.#user)) as JsonObject;
    return { kind: "live", vsn, user, alarms: this.#alarms, parked: this.#parked };
  }

  #context(id: string): ObjectContext<JsonObject> {
    const refuse = (what: string) => (): never => {
      this.unmodelled = new Unmodelled(what);
      throw this.unmodelled;
    };
    const user = (value?: JsonObject) => value === undefined ? this.#user : this.#user = value;
    return {
      id,
      get state() {
        return user();
      },
      set state(value) {
        user(value);
      },
      get signal() {
        return new AbortController().signal;
      },
      now: refuse("a handler asks for the time"),
      random: refuse("a handler draws lots"),
      alarms: refuse("a handler asks when its alarms are due"),
      call: refuse("a handler calls another object"),
      afterCommit: () => {},
      schedule: (name) => {
        this.#forget(name);
        this.#alarms[name] = 1;
      },
      cancel: (name) => this.#forget(name),
    };
  }

  #forget(name: string): boolean {
    const found = Object.hasOwn(this.#alarms, name) || this.#parked.includes(name);
    delete this.#alarms[name];
    this.#parked = this.#parked.filter((parked) => parked !== name);
    return found;
  }
}

/** What is stored in the shape of a definition, or the error that says why it cannot be. */
function fit(
  spec: ObjectSpec,
  snapshot: Exclude<Snapshot, { readonly kind: "deleted" }>,
): { readonly live: Live; readonly migrated: boolean } | string {
  const defaults = JSON.parse(JSON.stringify(spec.state())) as JsonObject;
  const { vsn } = spec;
  if (snapshot.kind === "absent") {
    return { live: { kind: "live", vsn, user: defaults, alarms: {}, parked: [] }, migrated: false };
  }
  if (snapshot.vsn > vsn) return "! ERR_NEWER_VERSION";
  const migrated = snapshot.vsn < vsn;
  if (migrated && spec.migrate === undefined) return "! ERR_UNRECOVERED";
  const data = migrated
    ? spec.migrate?.(snapshot.vsn, structuredClone(snapshot.user)) as JsonObject
    : snapshot.user;
  const known = Object.entries({ ...defaults, ...data }).filter(([name]) =>
    spec.unknownFields === "keep" || Object.hasOwn(defaults, name)
  );
  const user = Object.fromEntries(known) as Record<string, JsonValue>;
  return { live: { ...snapshot, vsn, user }, migrated };
}
