import { must } from "../core/assert.ts";
import {
  HoldfastError,
  InvalidStateError,
  InvalidValueError,
  type Problem,
} from "../core/errors.ts";
import {
  cloneJson,
  copyJson,
  defaultJsonLimits,
  equalJson,
  type JsonLimits,
  type JsonObject,
} from "../core/json.ts";
import { formatPath } from "../core/path.ts";
import { checkSchema } from "../core/schema.ts";
import { applyPatch, diff, isEmptyPatch, type Patch } from "../core/slice.ts";
import type { StashDefinition } from "./definition.ts";
import { isAt, restore, type Restored, restoreKey } from "./restore.ts";
import { recoverSlice, type SliceChange, type StashStatus, submittedOf, turnOf } from "./slices.ts";
import type { Slice } from "./state.ts";
import { kindOf, wrongArgument } from "../core/options.ts";

// Longer than 400 lines because all of it decides on the private state of one handle.

/** How large one value may be; in bytes, what counts is the whole session. */
const valueLimits: JsonLimits = { ...defaultJsonLimits, maxBytes: Infinity };

/** A part of the session's state, as one request holds it. */
export interface Stash<S extends object> {
  /** The state: read it, change it, then {@linkcode Stash.stash} it. */
  state: S;
  /**
   * What became of what was stored: `"recovered"`, `"not_found"`, `"migrated"` from an older `vsn`,
   * `"newer"` or `"discarded"` because of its `vsn`, or `"error"` if it could not be read. In the
   * last three cases `state` holds the defaults.
   */
  readonly status: StashStatus;
  /** Why the status is `"error"`. */
  readonly cause: unknown;
  /** Recovered keys that the schema refused; `state` holds their defaults. */
  readonly invalid: readonly string[];
  /**
   * The page instance that `"reconnect"` keys belong to. Put it into the page (a hidden field), and
   * hand it to `session.stash(definition, { page })` when it comes back.
   */
  readonly page: string;
  /**
   * Stores what changed since the state was recovered or last stashed, key by key, so that another
   * tab's changes of other keys stay. Durable once it resolves; writes nothing if nothing changed.
   *
   * @returns `true` if something was written.
   * @throws {InvalidValueError} If a changed value cannot be stored as JSON.
   * @throws {InvalidStateError} If the schema refuses a changed key.
   * @throws {StorageUnavailableError} If storage failed.
   * @throws {HoldfastError} `ERR_NEWER_VERSION` if a newer version of the application stored this
   *   stash, `ERR_UNRECOVERED` if it could not be read, `ERR_TOO_LARGE`, `ERR_SESSION_ENDED`,
   *   `ERR_SESSION_SEALED` if the session would have to begin after its response was made.
   */
  stash(): Promise<boolean>;
  /**
   * Changes what is stored by reading and writing in one step: `change` gets the stored state as it
   * is now, and runs again if another writer was first. A hundred increments at once make a hundred.
   *
   * @param change Changes the state it gets, or returns another; must have no other effects.
   * @returns The state as stored; keys of `state` not changed locally are brought up to date.
   * @throws The same as {@linkcode Stash.stash}, and what `change` throws: then nothing is stored.
   * @throws {TypeError} If `change` returns something else than a state.
   */
  update(change: (state: S) => S | void | Promise<S | void>): Promise<S>;
  /**
   * Removes everything stored under this stash, drafts of other pages included, and puts `state`
   * back to its defaults. Also the way out when what is stored cannot be read.
   *
   * @throws {StorageUnavailableError} If storage failed.
   * @throws {HoldfastError} `ERR_NEWER_VERSION` if a newer version of the application stored this
   *   stash, `ERR_SESSION_ENDED` if the session ended meanwhile.
   */
  reset(): Promise<void>;
}

/** How a handle reaches its session. */
export interface SliceAccess {
  /**
   * Runs a change on the stored slice, brought to the definition's version; `true` if written.
   * `fresh` if the change depends on what is stored even when it writes nothing.
   */
  change(
    make: (slice: Slice) => SliceStep | Promise<SliceStep>,
    fresh: boolean,
  ): Promise<boolean>;
  /** Removes the stored slice. */
  remove(): Promise<void>;
  /** Tells of keys that were left out. */
  skipped(keys: readonly string[], problems: readonly Problem[]): void;
}

/** One step of a slice: a change, or nothing. */
export type SliceStep = SliceChange | "keep";

/** A state as it was at some moment, as far as it is stored. */
export interface Captured {
  /** What it was compared with. */
  readonly base: JsonObject;
  readonly epoch: number;
  readonly fields: JsonObject;
  readonly patch: Patch;
  /** Whether there is anything to store. */
  readonly isNew: boolean;
  /** Rejects if the schema refuses it. */
  readonly valid: Promise<void> | undefined;
}

/** Implements {@linkcode Stash} on a slice. */
export class StashHandle<S extends object> implements Stash<S> {
  state: S;
  readonly status: StashStatus;
  readonly cause: unknown;
  readonly invalid: readonly string[];
  /** Number of the last submit of this page instance whose effect is stored; 0 for none. */
  readonly submitted: number;
  readonly #definition: StashDefinition<S>;
  /** What is stored could not be read, so nothing may be written over it. */
  #unreadable: boolean;
  /** Which connection of its page it belongs to, counted from 1; `undefined` for a request. */
  readonly #turn: number | undefined;
  /** Number of the last submit whose effect the state has. */
  #included: number;
  readonly #makeAccess: () => SliceAccess;
  #madeAccess: SliceAccess | undefined;
  /** What the state was recovered from; never mutated. */
  #recovered: JsonObject;
  #page: string | (() => string);
  /** The fields as of the recovery or the last write; made when first needed. */
  #baseline: JsonObject | undefined;
  /** How often what is stored has been taken over, or removed. */
  #epoch = 0;
  /** A migrated slice is written back even if nothing else changed. */
  #unwritten: boolean;
  /** The last of the stashes that are under way. */
  #putting: Promise<boolean> | undefined;

  constructor(
    definition: StashDefinition<S>,
    restored: Restored<S>,
    page: string | (() => string),
    access: () => SliceAccess,
    turn?: number,
  ) {
    this.#definition = definition;
    this.#makeAccess = access;
    this.#page = page;
    this.#turn = turn;
    this.state = restored.state;
    this.status = restored.status;
    this.cause = restored.cause;
    this.invalid = restored.invalid;
    this.submitted = restored.submitted ?? 0;
    this.#included = this.submitted;
    this.#recovered = restored.fields;
    this.#unwritten = restored.status === "migrated";
    this.#unreadable = restored.status === "error";
  }

  get page(): string {
    // Made when first asked for: most requests do not, and randomness is the dearest thing here.
    if (typeof this.#page === "function") this.#page = this.#page();
    return this.#page;
  }

  /** Most requests only read. */
  get #access(): SliceAccess {
    return this.#madeAccess ??= this.#makeAccess();
  }

  /** Whether what is stored could not be read, so that it must not be written over blindly. */
  get unreadable(): boolean {
    return this.#unreadable;
  }

  /** Whether a declared key has changed since the recovery or the last write. */
  changed(): boolean {
    return !isEmptyPatch(diff(this.#base(), this.#fields(this.state, this.#base())));
  }

  async stash(): Promise<boolean> {
    if (this.#unreadable) throw unrecovered(this.#definition.name, this.cause);
    const captured = this.capture();
    const before = this.#putting;
    if (before === undefined && !captured.isNew) return false;
    // After one that is under way: only then is it known what differs from what is stored.
    const put = (): Promise<boolean> => this.put(captured);
    const putting = before === undefined ? put() : before.then(put, put);
    this.#putting = putting;
    try {
      return await putting;
    } finally {
      if (this.#putting === putting) this.#putting = undefined;
    }
  }

  /**
   * Takes the state as it is now, to be stored later whatever becomes of it meanwhile.
   *
   * @throws {InvalidValueError} If a declared key cannot be stored as JSON.
   */
  capture(): Captured {
    const base = this.#base();
    const fields = this.#fields(this.state, base);
    const patch = diff(base, fields);
    const isChanged = !isEmptyPatch(patch);
    if (!isChanged || this.#definition.schema === undefined) {
      const isNew = isChanged || this.#unwritten;
      return { base, epoch: this.#epoch, fields, patch, isNew, valid: undefined };
    }
    const valid = this.#check(this.state, patch);
    // Whoever stores it hears of it.
    valid.catch(() => {});
    return { base, epoch: this.#epoch, fields, patch, isNew: true, valid };
  }

  /**
   * Stores what was taken; with the number of a submit, as the effect of that, in one write.
   *
   * @param submit Number of the submit of this page whose effect it is, from 1, growing.
   * @returns `false` if there was nothing to store; with `submit`, if another node has stored the
   *   effect of a submit that `state` knows nothing of. Then nothing is stored, and `state` is of no
   *   use any more.
   * @throws {HoldfastError} `ERR_SUPERSEDED` if a later connection of the page has stored something:
   *   then the page's draft stays as it is, and what every page has in common is stored.
   */
  async put(captured: Captured, submit?: number): Promise<boolean> {
    if (this.#unreadable) throw unrecovered(this.#definition.name, this.cause);
    const { fields, valid } = captured;
    if (valid !== undefined) await valid;
    if (captured.epoch !== this.#epoch && this.#givesWay(captured)) throw this.gaveWay();
    const patch = this.#since(captured);
    if (isEmptyPatch(patch) && !this.#unwritten && submit === undefined) return false;
    const change = this.#split(patch, submit);
    const included = this.#included;
    // Also if it fails: the answer may be all that was lost.
    if (submit !== undefined) this.#included = submit;
    let isKnown = false;
    let isSuperseded = false;
    await this.#access.change((slice) => {
      isKnown = submit !== undefined && submittedOf(slice, this.page) > included;
      isSuperseded = this.#isSuperseded(slice);
      if (isKnown || (isSuperseded && submit !== undefined)) return "keep";
      if (!isSuperseded || change.draft === undefined) return change;
      return isEmptyPatch(change.keys) ? "keep" : { keys: change.keys };
    }, false);
    if (isKnown) return false;
    if (isSuperseded && change.draft !== undefined) throw superseded(this.#definition.name);
    this.#baseline = captured.epoch === this.#epoch
      ? fields
      : applyPatch(this.#base(), captured.patch);
    this.#unwritten = false;
    return true;
  }

  /** Whether a later connection of the page has written its draft. */
  #isSuperseded(slice: Slice): boolean {
    return this.#turn !== undefined && turnOf(slice, this.#knownPage) > this.#turn;
  }

  /** Whether something that was changed before the stored state was known is stored by now. */
  #givesWay({ base, patch: { set, drop } }: Captured): boolean {
    const now = this.#base();
    return [...Object.keys(set), ...drop].some((key) => {
      const [before, stored] = [base[key], now[key]];
      if (before === undefined || stored === undefined) return before !== stored;
      return !equalJson(before, stored);
    });
  }

  /** What of a state is not stored yet. */
  #since({ base, epoch, fields, patch }: Captured): Patch {
    if (base === this.#base()) return patch;
    // What others had stored has come in since: all it says is what was changed here.
    return epoch === this.#epoch ? diff(this.#base(), fields) : patch;
  }

  /**
   * Takes in what could not be read before, if it can be read by now, and stores what was changed of
   * what was still at its default: what was computed without the rest must not be written over it.
   *
   * @returns `false` if something that was changed gave way.
   * @throws {HoldfastError} `ERR_SUPERSEDED`, as {@linkcode StashHandle.put} does.
   */
  async overwrite({ patch: { set } }: Captured): Promise<boolean> {
    const { defaults } = this.#definition;
    const isDefault = (state: S, key: string): boolean => {
      const value: unknown = Reflect.get(state, key);
      const before = defaults[key];
      if (value === undefined || before === undefined) return value === before;
      const copied = copyJson(value, { limits: valueLimits });
      return copied.ok && equalJson(copied.value, before);
    };
    let taken: readonly string[] = [];
    const state = await this.#update((state) => {
      taken = Object.keys(set).filter((key) => !isDefault(state, key));
      for (const key of Object.keys(set)) {
        if (!taken.includes(key)) Reflect.set(state, key, cloneJson(set[key] ?? null));
      }
    }, "keys");
    for (const key of taken) Reflect.set(this.state, key, Reflect.get(state, key));
    return taken.length === 0;
  }

  /** The error of a change that gave way to what was stored. */
  gaveWay(): HoldfastError {
    return new HoldfastError(
      "ERR_UNRECOVERED",
      `Cannot store stash "${this.#definition.name}": it was changed before it could be read`,
    );
  }

  /** Removes what is stored of this page instance, which is over. */
  async leave(): Promise<void> {
    const { page } = this;
    await this.#access.change(
      ({ drafts }) => Object.hasOwn(drafts, page) ? { keys: nothing, gone: page } : "keep",
      false,
    );
  }

  update(change: (state: S) => S | void | Promise<S | void>): Promise<S> {
    if (typeof change === "function") return this.#update(change, "nothing");
    return Promise.reject(wrongArgument(
      `Cannot update stash "${this.#definition.name}": the change is ${
        kindOf(change)
      }, not a function`,
    ));
  }

  /** @param late What is stored of a change that may not touch the page's draft any more. */
  async #update(
    change: (state: S) => S | void | Promise<S | void>,
    late: "keys" | "nothing",
  ): Promise<S> {
    let updated: { state: S; fields: JsonObject; isSuperseded: boolean } | undefined;
    await this.#access.change(async (slice) => {
      const { step, ...result } = await this.#applyTo(slice, change);
      updated = result;
      if (!result.isSuperseded || step === "keep") return step;
      if (late === "nothing") throw superseded(this.#definition.name);
      return isEmptyPatch(step.keys) ? "keep" : { keys: step.keys };
    }, true);
    const { state, fields, isSuperseded } = must(updated, "a finished change has run");
    if (isSuperseded) throw superseded(this.#definition.name);
    const base = this.#base();
    for (const key of this.#definition.scopes.keys()) {
      if (this.#isUntouched(base, key)) restoreKey(this.#definition, this.state, fields, key);
    }
    this.#baseline = { ...this.#definition.defaults, ...fields };
    this.#epoch++;
    this.#unwritten = false;
    this.#unreadable = false;
    return state;
  }

  async reset(): Promise<void> {
    await this.#access.remove();
    this.state = this.#definition.state();
    this.#recovered = {};
    this.#baseline = undefined;
    this.#epoch++;
    this.#unwritten = false;
    this.#unreadable = false;
  }

  async #applyTo(
    slice: Slice,
    change: (state: S) => S | void | Promise<S | void>,
  ): Promise<{ state: S; fields: JsonObject; step: SliceStep; isSuperseded: boolean }> {
    const recovery = recoverSlice(this.#definition, slice, this.#knownPage);
    const { state: draft, fields: recovered } = await restore(this.#definition, recovery);
    const before = { ...this.#definition.defaults, ...recovered };
    const state = await change(draft) ?? draft;
    if (typeof state !== "object") {
      // An arrow function without braces returns whatever its expression does.
      throw new TypeError(
        `Cannot update stash "${this.#definition.name}": the change returned a ${typeof state}`,
      );
    }
    const fields = this.#fields(state, before);
    const patch = diff(before, fields);
    if (isEmptyPatch(patch)) return { state, fields, step: "keep", isSuperseded: false };
    await this.#check(state, patch);
    const step = this.#split(patch);
    const isSuperseded = step.draft !== undefined && this.#isSuperseded(slice);
    return { state, fields, step, isSuperseded };
  }

  /** A page instance nobody has asked for yet has no drafts to recover. */
  get #knownPage(): string | undefined {
    return typeof this.#page === "string" ? this.#page : undefined;
  }

  #base(): JsonObject {
    return this.#baseline ??= { ...this.#definition.defaults, ...this.#recovered };
  }

  /** Whether the local value of a key is still what was recovered or last written. */
  #isUntouched(base: JsonObject, key: string): boolean {
    const before = base[key];
    const value: unknown = Reflect.get(this.state, key);
    if (before === undefined || value === undefined) return before === value;
    const copy = copyJson(value, { limits: valueLimits });
    return copy.ok && equalJson(before, copy.value);
  }

  /** The declared keys of a state as JSON; with `"skip"`, invalid ones as they were before. */
  #fields(state: S, before: JsonObject): JsonObject {
    const fields: JsonObject = {};
    const skipped: string[] = [];
    const problems: Problem[] = [];
    for (const key of this.#definition.scopes.keys()) {
      const value: unknown = Object.hasOwn(state, key) ? Reflect.get(state, key) : undefined;
      if (value === undefined) continue;
      const copied = copyJson(value, { limits: valueLimits });
      if (copied.ok) {
        fields[key] = copied.value;
      } else {
        skipped.push(key);
        problems.push(...copied.problems.map((problem) => below(key, problem)));
        const kept = before[key];
        if (kept !== undefined) fields[key] = kept;
      }
    }
    if (problems.length > 0) this.#invalidValues(skipped, problems);
    return fields;
  }

  #invalidValues(keys: readonly string[], problems: readonly Problem[]): void {
    if (this.#definition.onInvalidValue === "throw") {
      throw new InvalidValueError(`stash "${this.#definition.name}"`, problems);
    }
    this.#access.skipped(keys, problems);
  }

  /** The schema speaks about the whole state; a write is stopped only by what it changes. */
  async #check(state: S, patch: Patch): Promise<void> {
    const { schema, name } = this.#definition;
    if (schema === undefined) return;
    const checked = await checkSchema(schema, state);
    if (checked.ok) return;
    const touched = new Set([...Object.keys(patch.set), ...patch.drop]);
    const problems = checked.problems.filter(({ path }) =>
      path === "" || [...touched].some((key) => isAt(path, key))
    );
    if (problems.length > 0) throw new InvalidStateError(`stash "${name}"`, problems);
  }

  #split(patch: Patch, submit?: number): SliceChange {
    const by = {
      ...(submit === undefined ? {} : { submitted: submit }),
      ...(this.#turn === undefined ? {} : { turn: this.#turn }),
    };
    if (!this.#definition.hasDrafts) {
      if (submit === undefined) return { keys: patch };
      return { keys: patch, draft: { page: this.page, patch: nothing, ...by } };
    }
    const keys: { set: JsonObject; drop: string[] } = { set: {}, drop: [] };
    const draft: { set: JsonObject; drop: string[] } = { set: {}, drop: [] };
    const side = (key: string) => this.#definition.scopes.get(key) === "reconnect" ? draft : keys;
    for (const [key, value] of Object.entries(patch.set)) side(key).set[key] = value;
    for (const key of patch.drop) side(key).drop.push(key);
    if (isEmptyPatch(draft) && submit === undefined) return { keys };
    return { keys, draft: { page: this.page, patch: draft, ...by } };
  }
}

const nothing: Patch = { set: {}, drop: [] };

/** A problem of the value of a key, as one of the whole state. */
function below(key: string, { path, reason }: Problem): Problem {
  const top = formatPath([key]);
  return { path: path === "" || path.startsWith("[") ? top + path : `${top}.${path}`, reason };
}

function superseded(name: string): HoldfastError {
  return new HoldfastError(
    "ERR_SUPERSEDED",
    `Cannot store stash "${name}": a later connection of its page has stored something`,
  );
}

/** The error of every write over a slice that could not be read: it might destroy what is there. */
export function unrecovered(name: string, cause: unknown): HoldfastError {
  return new HoldfastError(
    "ERR_UNRECOVERED",
    `Cannot store stash "${name}": what is stored could not be read`,
    { cause, retryable: cause instanceof HoldfastError && cause.retryable },
  );
}
