import { HoldfastError } from "../core/errors.ts";
import { shouldTouch } from "../core/ttl.ts";
import { logReference, type Turn } from "../object/types.ts";
import { carryOver } from "./carry_over.ts";
import {
  type Alive,
  judge,
  MovedError,
  onSession,
  type SessionContext,
  sessionEnded,
  type SessionTurn,
  type Turned,
} from "./context.ts";
import type { StashDefinition } from "./definition.ts";
import { type SliceAccess, type Stash, StashHandle } from "./handle.ts";
import type { Identity } from "./identities.ts";
import { end, locate } from "./locate.ts";
import { restore, type Restored } from "./restore.ts";
import type { CookieChange, RotateOptions, Session, SessionOptions, StashUse } from "./session.ts";
import { newSeat, type Seat } from "./seat.ts";
import { sliceAccess } from "./slice_access.ts";
import { recoverSlice, type Recovery } from "./slices.ts";
import { readSlice, type SessionState } from "./state.ts";

/** Most requests have none when they begin, and some none at all. */
const noHandles: StashHandle<object>[] = [];

const pagePattern = /^[A-Za-z0-9_-]{16}$/;

/** How often a write follows a session that other nodes keep moving. */
const triesToFollow = 5;

/** Implements {@linkcode Session} for one request. */
export class RequestSession implements Session {
  readonly #context: SessionContext;
  readonly #options: SessionOptions;
  readonly #tokens: readonly string[];
  #handles: StashHandle<object>[] = noHandles;
  #seat: Seat = newSeat();
  #entered = false;
  #entering: Promise<void> | undefined;
  /** What the first look at the session found serves the whole request, until it writes. */
  #found: Alive | undefined;
  #cookie: CookieChange | undefined;
  #sealed = false;
  #note: unknown;

  constructor(context: SessionContext, tokens: readonly string[], options: SessionOptions) {
    this.#context = context;
    this.#tokens = tokens;
    this.#options = options;
  }

  /**
   * Leaves something on a session for whoever meets it again, out of sight of everybody else. A
   * WeakMap by session would do, but costs as much as opening one.
   */
  static leaveNote(session: Session, note: unknown): void {
    if (#note in session) session.#note = note;
  }

  /** What was left on a session; `undefined` on anything else. */
  static noteOn(session: unknown): unknown {
    return typeof session === "object" && session !== null && #note in session
      ? session.#note
      : undefined;
  }

  get ref(): string {
    return this.#refOf(this.#seat);
  }

  async stash<S extends object>(
    definition: StashDefinition<S>,
    use: StashUse = {},
  ): Promise<Stash<S>> {
    // The session may end, and another begin, while this one is being read.
    const seat = this.#seat;
    const page = use.page !== undefined && pagePattern.test(use.page) ? use.page : undefined;
    const recovering = this.#recover(seat, definition, page);
    const recovery = recovering instanceof Promise ? await recovering : recovering;
    const restoring = restore(definition, recovery);
    const restored = restoring instanceof Promise ? await restoring : restoring;
    if (this.#context.emit !== undefined) this.#tellRecovery(seat, definition.name, restored);
    const access = () => this.#access(definition, seat);
    const handle = new StashHandle(definition, restored, page ?? this.#context.newPage, access);
    if (this.#handles === noHandles) this.#handles = [handle];
    else this.#handles.push(handle);
    return handle;
  }

  async destroy(): Promise<void> {
    const seat = this.#seat;
    while (seat.rotating !== undefined) await seat.rotating.catch(() => {});
    // Without judging the record: a session must be possible to end however damaged it is.
    const identity = seat.identity ?? await seat.seating?.catch(() => undefined) ??
      await this.#identify();
    seat.ended = true;
    try {
      if (identity !== undefined) await end(this.#context, identity);
    } catch (error) {
      // It can be tried again.
      seat.ended = false;
      throw error;
    }
    if (seat === this.#seat) this.#leave();
    if (identity === undefined) return;
    this.#cookie = { kind: "clear" };
    this.#context.emit?.({ name: "holdfast.session.destroy", ref: refOf(identity) });
  }

  async rotate({ keep = true }: RotateOptions = {}): Promise<void> {
    if (!keep) return await this.destroy();
    await this.#enter();
    const seat = this.#seat;
    while (seat.rotating !== undefined) await seat.rotating.catch(() => {});
    if (seat.identity === undefined || seat.fresh) return;
    this.#refuseIfSealed();
    seat.rotating = this.#rotate(seat, seat.identity).finally(() => seat.rotating = undefined);
    await seat.rotating;
  }

  /** Stores every handle whose state has changed; rejects with the first error after trying all. */
  async stashChanged(): Promise<void> {
    const results = await Promise.allSettled(
      this.#handles.map(async (handle) => handle.changed() && await handle.stash()),
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

  #tellRecovery(seat: Seat, stash: string, { status, cause, invalid }: Restored<object>): void {
    this.#context.emit?.({
      name: "holdfast.stash.recover",
      ref: this.#refOf(seat),
      stash,
      status,
      ...(invalid.length > 0 ? { keys: invalid } : {}),
      ...(cause === undefined ? {} : { error: cause }),
    });
  }

  /** At once where nothing has to be waited for: a promise costs as much as the rest. */
  #recover<S extends object>(
    seat: Seat,
    definition: StashDefinition<S>,
    page: string | undefined,
  ): Recovery | Promise<Recovery> {
    try {
      const entering = this.#enter();
      const alive = entering === undefined
        ? this.#read(seat)
        : entering.then(() => this.#read(seat));
      return alive instanceof Promise
        ? alive.then((found) => recoverFrom(found, definition, page)).catch(unrecoverable)
        : recoverFrom(alive, definition, page);
    } catch (error) {
      return unrecoverable(error);
    }
  }

  #read(seat: Seat): Alive | Promise<Alive> {
    const key = seat.fresh || seat.ended ? undefined : seat.identity?.keys[0];
    if (key === undefined) return { state: undefined, gone: "absent" };
    if (this.#found !== undefined && seat === this.#seat) return this.#found;
    return this.#readAgain(seat, key);
  }

  async #readAgain(seat: Seat, key: string): Promise<Alive> {
    const { engine, lifetime, now } = this.#context;
    const alive = judge(await engine.read(key), lifetime, now());
    if (alive.state?.moved === undefined || seat.identity === undefined) return alive;
    return await locate(this.#context, seat.identity);
  }

  /** Finds the session of the cookie, once; a failure is not remembered. */
  #enter(): Promise<void> | undefined {
    if (this.#entered || this.#tokens.length === 0) return undefined;
    if (this.#entering !== undefined) return this.#entering;
    const finding = this.#find(this.#seat);
    if (finding === undefined) {
      this.#entered = true;
      return undefined;
    }
    this.#entering = finding.then(() => {
      this.#entered = true;
    }).finally(() => {
      this.#entering = undefined;
    });
    return this.#entering;
  }

  #identify(): Identity | undefined | Promise<Identity | undefined> {
    const resolving = this.#context.identities.resolve(this.#tokens);
    return resolving instanceof Promise
      ? resolving.then((identity) => this.#unambiguous(identity))
      : resolving;
  }

  #unambiguous(identity: Identity | undefined | "ambiguous"): Identity | undefined {
    if (identity !== "ambiguous") return identity;
    this.#context.emit?.({ name: "holdfast.session.ambiguous_cookie", ref: "" });
    return undefined;
  }

  #find(seat: Seat): Promise<void> | undefined {
    const identity = this.#identify();
    if (identity === undefined) return undefined;
    if (identity instanceof Promise) return identity.then((known) => this.#findAs(seat, known));
    return this.#findAs(seat, identity);
  }

  #findAs(seat: Seat, identity: Identity | undefined): Promise<void> | undefined {
    if (identity === undefined) return undefined;
    const alive = locate(this.#context, identity);
    if (alive instanceof Promise) return alive.then((found) => this.#occupy(seat, identity, found));
    this.#occupy(seat, identity, alive);
    return undefined;
  }

  #occupy(seat: Seat, identity: Identity, alive: Alive): void {
    if (alive.state === undefined || seat.ended) return;
    seat.identity = identity;
    seat.fresh = false;
    seat.shown = true;
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
    const standing = { create: false, shown: true };
    const turn = onSession(this.#context, standing, (session, at) => ({
      session: shouldTouch(session, lifetime, at) ? { ...session } : session,
      reply: undefined,
    }));
    engine.run(identity.keys[0] ?? "", turn).then(
      ({ wrote }) => wrote && emit?.({ name: "holdfast.session.touch", ref }),
      (error) => emit?.({ name: "holdfast.session.touch", ref, error }),
    );
  }

  #access<S extends object>(definition: StashDefinition<S>, seat: Seat): SliceAccess {
    const { emit, drafts } = this.#context;
    return sliceAccess({
      definition,
      drafts,
      emit,
      ref: () => this.#refOf(seat),
      write: (turn, fresh) => this.#write(seat, turn, fresh),
      isEmpty: async () => {
        if (seat.fresh) await this.#enter();
        return seat.fresh;
      },
    });
  }

  async #write<R>(seat: Seat, turn: SessionTurn<R>, fresh: boolean): Promise<R> {
    while (seat.rotating !== undefined) await seat.rotating.catch(() => {});
    // A handle whose recovery failed must not begin a session beside the one that could not be read.
    if (seat.fresh && seat.identity === undefined && !seat.ended) await this.#enter();
    if (seat.ended) throw sessionEnded();
    const identity = seat.identity ?? await this.#seated(seat);
    if (seat.ended) throw sessionEnded();
    const create = seat.fresh;
    if (create) this.#refuseIfSealed();
    const standing = { create, shown: seat.shown };
    const { reply, wrote } = await this.#follow(
      identity,
      onSession(this.#context, standing, turn),
      fresh,
    );
    this.#found = undefined;
    if (create && wrote) this.#created(seat, identity);
    return reply;
  }

  /** Runs a turn on a session, wherever nodes that disagree on the current secret move it. */
  #follow<R>(
    identity: Identity,
    turn: Turn<Turned<R>>,
    fresh: boolean,
    tries = 1,
  ): Promise<Turned<R>> {
    const [key = ""] = identity.keys;
    const running = this.#context.engine.run(key, turn, { fresh });
    if (identity.keys.length === 1 || tries === triesToFollow) return running;
    return running.catch(async (error) => {
      if (!(error instanceof MovedError)) throw error;
      await locate(this.#context, identity);
      return await this.#follow(identity, turn, fresh, tries + 1);
    });
  }

  /** Takes the seat, once for all writes that begin the session; a failure is not remembered. */
  #seated(seat: Seat): Promise<Identity> {
    seat.seating ??= this.#sit(seat).catch((error) => {
      seat.seating = undefined;
      throw error;
    });
    return seat.seating;
  }

  async #sit(seat: Seat): Promise<Identity> {
    this.#refuseIfSealed();
    const options = this.#options;
    if (options.admit !== undefined && await options.admit() !== true) {
      throw new HoldfastError("ERR_SESSION_REFUSED", "Cannot begin a session: it was not admitted");
    }
    return seat.identity = await this.#context.identities.mint();
  }

  #created(seat: Seat, identity: Identity): void {
    if (!seat.fresh) return;
    this.#refuseIfSealed();
    seat.fresh = false;
    if (seat === this.#seat && !seat.ended) this.#cookie = { kind: "set", token: identity.token };
    this.#context.emit?.({ name: "holdfast.session.create", ref: refOf(identity) });
  }

  async #rotate(seat: Seat, from: Identity): Promise<void> {
    const next = await this.#context.identities.mint();
    const { failure } = await carryOver(this.#context, from, next, seat.shown);
    seat.identity = next;
    this.#found = undefined;
    this.#cookie = { kind: "set", token: next.token };
    this.#context.emit?.({ name: "holdfast.session.rotate", ref: refOf(next) });
    if (failure !== undefined) throw failure;
  }

  #leave(): void {
    this.#seat = newSeat();
    this.#entered = true;
    this.#found = undefined;
    this.#handles = noHandles;
  }

  #refOf({ identity, fresh }: Seat): string {
    return identity === undefined || fresh ? "" : refOf(identity);
  }

  #refuseIfSealed(): void {
    if (!this.#sealed) return;
    throw new HoldfastError(
      "ERR_SESSION_SEALED",
      "Cannot begin a session: the response has been made and its cookie can no longer be set",
    );
  }
}

function recoverFrom<S extends object>(
  alive: Alive,
  definition: StashDefinition<S>,
  page: string | undefined,
): Recovery {
  return alive.state === undefined
    ? { status: "not_found", fields: {} }
    : recoverSlice(definition, readSlice(alive.state.views, definition.name), page);
}

function unrecoverable(error: unknown): Recovery {
  const newer = error instanceof HoldfastError && error.code === "ERR_NEWER_VERSION";
  return { status: newer ? "newer" : "error", fields: {}, cause: error };
}

function refOf(identity: Identity): string {
  return logReference(identity.keys[0] ?? "");
}
