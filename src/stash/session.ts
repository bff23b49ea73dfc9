import { HoldfastError } from "../core/errors.ts";
import { shouldTouch } from "../core/ttl.ts";
import { logReference } from "../object/types.ts";
import {
  type Alive,
  decideWrite,
  judge,
  onSession,
  type SessionContext,
  sessionEnded,
  type SessionTurn,
} from "./context.ts";
import type { StashDefinition } from "./definition.ts";
import {
  type SliceAccess,
  type SliceStep,
  type Stash,
  StashHandle,
  unrecovered,
} from "./handle.ts";
import type { Identity } from "./identities.ts";
import { end, locate } from "./locate.ts";
import { restore, type Restored } from "./restore.ts";
import { changeSlice, currentSlice, recoverSlice, type Recovery } from "./slices.ts";
import { newSession, readSlice, type SessionState, type Slice, storeSlice } from "./state.ts";

/** Options of {@linkcode Session.stash}. */
export interface StashUse {
  /**
   * The page instance this request comes from, as {@linkcode Stash.page} gave it out: its
   * `"reconnect"` keys are recovered. Anything malformed counts as none.
   */
  readonly page?: string;
}

/** Options of {@linkcode Session.rotate}. */
export interface RotateOptions {
  /** Carry the state over to the new id. @default {true} */
  readonly keep?: boolean;
}

/** The browser session of one request. */
export interface Session {
  /**
   * A short name of the session for logs, never its id; empty while the session has none.
   */
  readonly ref: string;
  /**
   * Recovers a part of the session's state. Reads only; never rejects because of storage: then the
   * status is `"error"` and `stash()` rejects.
   *
   * @param definition What to recover.
   * @param use Which page instance asks.
   */
  stash<S extends object>(definition: StashDefinition<S>, use?: StashUse): Promise<Stash<S>>;
  /**
   * Ends the session: its state is gone, its cookie worthless, and writes still under way are
   * refused. A stash after it begins a new session.
   *
   * @throws {StorageUnavailableError} If storage failed; the session may then still be alive.
   */
  destroy(): Promise<void>;
  /**
   * Gives the session a new id and ends the old one at once. Do it whenever who the user is
   * changes: at login, above all.
   *
   * @throws {StorageUnavailableError} If storage failed; the old id may then still be alive.
   */
  rotate(options?: RotateOptions): Promise<void>;
}

/** What the response must do about the cookie. */
export type CookieChange =
  | { readonly kind: "set"; readonly token: string }
  | { readonly kind: "clear" };

/** How a session comes into being. */
export interface SessionOptions {
  /** Asked before a session is created; `false` refuses it. The place for a rate limit. */
  readonly admit?: () => boolean | Promise<boolean>;
}

/** The identity a request writes under; handles keep theirs when the session moves on. */
interface Seat {
  identity: Identity | undefined;
  /** Nothing is stored under it yet. */
  fresh: boolean;
  ended: boolean;
  seating: Promise<Identity> | undefined;
}

const pagePattern = /^[A-Za-z0-9_-]{16}$/;

/** Implements {@linkcode Session} for one request. */
export class RequestSession implements Session {
  readonly #context: SessionContext;
  readonly #options: SessionOptions;
  readonly #tokens: readonly string[];
  readonly #handles: Set<StashHandle<object>> = new Set();
  #seat: Seat = { identity: undefined, fresh: true, ended: false, seating: undefined };
  #entering: Promise<void> | undefined;
  #cookie: CookieChange | undefined;
  #sealed = false;

  constructor(context: SessionContext, tokens: readonly string[], options: SessionOptions) {
    this.#context = context;
    this.#tokens = tokens;
    this.#options = options;
  }

  get ref(): string {
    const { identity, fresh } = this.#seat;
    return identity === undefined || fresh ? "" : logReference(identity.keys[0] ?? "");
  }

  async stash<S extends object>(
    definition: StashDefinition<S>,
    use: StashUse = {},
  ): Promise<Stash<S>> {
    const page = use.page !== undefined && pagePattern.test(use.page) ? use.page : undefined;
    const recovery = await this.#recover(definition, page);
    const restoring = restore(definition, recovery);
    const restored = restoring instanceof Promise ? await restoring : restoring;
    if (this.#context.emit !== undefined) this.#tellRecovery(definition.name, restored);
    const access = this.#access(definition, this.#seat);
    const handle = new StashHandle(definition, restored, page ?? this.#context.newPage, access);
    this.#handles.add(handle);
    return handle;
  }

  async destroy(): Promise<void> {
    const seat = this.#seat;
    // Without judging the record: a session must be possible to end however damaged it is.
    const identity = seat.identity ?? await seat.seating ?? await this.#identify();
    this.#leave();
    if (identity === undefined) return;
    await end(this.#context, identity);
    this.#cookie = { kind: "clear" };
    this.#context.emit?.({ name: "holdfast.session.destroy", ref: refOf(identity) });
  }

  async rotate({ keep = true }: RotateOptions = {}): Promise<void> {
    if (!keep) return await this.destroy();
    await this.#enter();
    const { identity, fresh } = this.#seat;
    if (identity === undefined || fresh) return;
    this.#refuseIfSealed();
    const next = await this.#context.identities.mint();
    await this.#carryOver(identity, next);
    this.#seat.identity = next;
    this.#cookie = { kind: "set", token: next.token };
    this.#context.emit?.({ name: "holdfast.session.rotate", ref: refOf(next) });
  }

  /** Stores every handle whose state has changed; rejects with the first error after trying all. */
  async stashChanged(): Promise<void> {
    const results = await Promise.allSettled(
      Array.from(this.#handles, async (handle) => handle.changed() && await handle.stash()),
    );
    const failed = results.find((result) => result.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  }

  /** Ends the time in which a cookie can be set, and tells what to do about it. */
  seal(): CookieChange | undefined {
    this.#sealed = true;
    return this.#cookie;
  }

  /** Keeps ids and state out of logs. */
  toJSON(): { ref: string } {
    return { ref: this.ref };
  }

  #tellRecovery(stash: string, { status, cause, invalid }: Restored<object>): void {
    this.#context.emit?.({
      name: "holdfast.stash.recover",
      ref: this.ref,
      stash,
      status,
      ...(invalid.length > 0 ? { keys: invalid } : {}),
      ...(cause === undefined ? {} : { error: cause }),
    });
  }

  async #recover<S extends object>(
    definition: StashDefinition<S>,
    page: string | undefined,
  ): Promise<Recovery> {
    try {
      await this.#enter();
      const { identity, fresh } = this.#seat;
      const key = fresh ? undefined : identity?.keys[0];
      if (key === undefined) return { status: "not_found", fields: {} };
      const alive = await this.#read(key);
      if (alive.state === undefined) return { status: "not_found", fields: {} };
      return recoverSlice(definition, readSlice(alive.state.views, definition.name), page);
    } catch (error) {
      const newer = error instanceof HoldfastError && error.code === "ERR_NEWER_VERSION";
      return { status: newer ? "newer" : "error", fields: {}, cause: error };
    }
  }

  /** What the first look at the session found serves the whole request, until it writes. */
  #found: Alive | undefined;

  async #read(key: string): Promise<Alive> {
    if (this.#found !== undefined) return this.#found;
    const { engine, lifetime, now } = this.#context;
    return judge(await engine.read(key), lifetime, now());
  }

  /** Finds the session of the cookie, once; a failure is not remembered. */
  #enter(): Promise<void> {
    if (this.#tokens.length === 0) return Promise.resolve();
    this.#entering ??= this.#find().catch((error) => {
      this.#entering = undefined;
      throw error;
    });
    return this.#entering;
  }

  async #identify(): Promise<Identity | undefined> {
    const resolving = this.#context.identities.resolve(this.#tokens);
    const identity = resolving instanceof Promise ? await resolving : resolving;
    if (identity !== "ambiguous") return identity;
    this.#context.emit?.({ name: "holdfast.session.ambiguous_cookie", ref: "" });
    return undefined;
  }

  async #find(): Promise<void> {
    const identity = await this.#identify();
    if (identity === undefined) return;
    const alive = await locate(this.#context, identity);
    if (alive.state === undefined) return;
    this.#seat = { identity, fresh: false, ended: false, seating: undefined };
    this.#found = alive;
    if (identity.keyIndex > 0 && !this.#sealed) {
      this.#cookie = { kind: "set", token: identity.token };
    }
    this.#touch(identity, alive.state);
  }

  /** Notes that the user was here; in the background, because nobody waits for it. */
  #touch(identity: Identity, state: SessionState): void {
    const { engine, lifetime, emit, now } = this.#context;
    if (!shouldTouch(state, lifetime, now())) return;
    const ref = refOf(identity);
    const turn = onSession(this.#context, false, (session, at) => ({
      session: shouldTouch(session, lifetime, at) ? { ...session } : session,
      reply: undefined,
    }));
    engine.run(identity.keys[0] ?? "", turn).then(
      () => emit?.({ name: "holdfast.session.touch", ref }),
      (error) => emit?.({ name: "holdfast.session.touch", ref, error }),
    );
  }

  #access<S extends object>(definition: StashDefinition<S>, seat: Seat): SliceAccess {
    const { name } = definition;
    const { emit, drafts } = this.#context;
    return {
      change: async (make, fresh) => {
        const written = await this.#write(seat, (session, now) => {
          const slice = this.#sliceFor(definition, session);
          const finish = (step: SliceStep) =>
            step === "keep" ? { session, reply: false } : {
              session: withSlice(session, name, changeSlice(slice, step, now, drafts)),
              reply: true,
            };
          const step = make(slice);
          return step instanceof Promise ? step.then(finish) : finish(step);
        }, fresh);
        if (written) emit?.({ name: "holdfast.stash.stash", ref: this.ref, stash: name });
        return written;
      },
      remove: async () => {
        if (seat.fresh) return;
        await this.#write(seat, (session) => {
          const stored = readSlice(session.views, name);
          if (stored === undefined) return { session, reply: false };
          if (stored !== "damaged" && stored.vsn > definition.vsn) throw newerStored(name);
          return { session: withSlice(session, name, undefined), reply: true };
        }, true);
      },
      skipped: (keys, problems) =>
        emit?.({ name: "holdfast.stash.skip", ref: this.ref, stash: name, keys, error: problems }),
    };
  }

  #sliceFor<S extends object>(definition: StashDefinition<S>, session: SessionState): Slice {
    const current = currentSlice(definition, readSlice(session.views, definition.name));
    if (current.ok) return current.slice;
    const { name } = definition;
    this.#context.emit?.({
      name: "holdfast.stash.refuse",
      ref: this.ref,
      stash: name,
      status: current.why,
    });
    throw current.why === "newer" ? newerStored(name) : unrecovered(name, current.cause);
  }

  async #write<R>(seat: Seat, turn: SessionTurn<R>, fresh: boolean): Promise<R> {
    if (seat.ended) throw sessionEnded();
    const identity = seat.identity ?? await (seat.seating ??= this.#sit(seat));
    if (seat.ended) throw sessionEnded();
    const create = seat.fresh;
    if (create) this.#refuseIfSealed();
    const turnOnSession = onSession(this.#context, create, turn);
    const key = identity.keys[0] ?? "";
    const reply = await this.#context.engine.run(key, turnOnSession, { fresh });
    this.#found = undefined;
    if (create) this.#created(seat, identity);
    return reply;
  }

  async #sit(seat: Seat): Promise<Identity> {
    this.#refuseIfSealed();
    if (await (this.#options.admit?.() ?? true) !== true) {
      seat.seating = undefined;
      throw new HoldfastError("ERR_SESSION_REFUSED", "Cannot begin a session: it was not admitted");
    }
    return seat.identity = await this.#context.identities.mint();
  }

  #created(seat: Seat, identity: Identity): void {
    if (!seat.fresh) return;
    this.#refuseIfSealed();
    seat.fresh = false;
    if (seat === this.#seat) this.#cookie = { kind: "set", token: identity.token };
    this.#context.emit?.({ name: "holdfast.session.create", ref: refOf(identity) });
  }

  #leave(): void {
    this.#seat.ended = true;
    this.#seat = { identity: undefined, fresh: true, ended: false, seating: undefined };
    this.#found = undefined;
    this.#handles.clear();
  }

  #refuseIfSealed(): void {
    if (!this.#sealed) return;
    throw new HoldfastError(
      "ERR_SESSION_SEALED",
      "Cannot begin a session: the response has been made and its cookie can no longer be set",
    );
  }

  /**
   * Copies a session to a new id, then ends the old one if it is still what was copied: so a crash
   * in between leaves the old one alive, and a write in between is carried over too.
   */
  async #carryOver(from: Identity, to: Identity): Promise<void> {
    const { engine, lifetime, now } = this.#context;
    const [oldKey = ""] = from.keys;
    const [newKey = ""] = to.keys;
    for (;;) {
      const current = await engine.read(oldKey);
      const alive = judge(current, lifetime, now());
      if (alive.state === undefined) throw sessionEnded();
      const { views } = alive.state;
      const at = now();
      const copy = { ...newSession(at), confirmed: true, views };
      await engine.run(newKey, () => decideWrite(this.#context, copy, undefined));
      const done = await engine.run(
        oldKey,
        (latest) =>
          latest.rev === current.rev
            ? { kind: "end", reply: true }
            : { kind: "keep", reply: false },
        {
          fresh: true,
        },
      );
      if (done) break;
    }
    this.#found = undefined;
    if (from.keys.length > 1) await end(this.#context, from);
  }
}

function refOf(identity: Identity): string {
  return logReference(identity.keys[0] ?? "");
}

function withSlice(
  session: SessionState,
  name: string,
  slice: Slice | undefined,
): SessionState {
  return { ...session, views: storeSlice(session.views, name, slice) };
}

function newerStored(name: string): HoldfastError {
  return new HoldfastError(
    "ERR_NEWER_VERSION",
    `Cannot store stash "${name}": a newer version of the application has stored it`,
  );
}
