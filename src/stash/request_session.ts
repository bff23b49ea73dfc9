import { must } from "../core/assert.ts";
import { HoldfastError, StorageUnavailableError } from "../core/errors.ts";
import { shouldTouch } from "../core/ttl.ts";
import { carryOver } from "./carry_over.ts";
import {
  type Alive,
  judge,
  onSession,
  type SessionContext,
  sessionEnded,
  type SessionTurn,
} from "./context.ts";
import type { StashDefinition } from "./definition.ts";
import { type SliceAccess, type Stash, StashHandle } from "./handle.ts";
import type { Identity } from "./identities.ts";
import { end, locate } from "./locate.ts";
import { follow, recoverFrom, recoverLater, refOf, tellRecovery, unrecoverable } from "./reach.ts";
import { handoverMs, reservedMs } from "./reserve.ts";
import { restore, type Restored } from "./restore.ts";
import type { CookieChange, RotateOptions, Session, SessionOptions, StashUse } from "./session.ts";
import { newSeat, type Seat } from "./seat.ts";
import { sliceAccess } from "./slice_access.ts";
import type { Recovery } from "./slices.ts";
import type { SessionState } from "./state.ts";
import { checkKnown, kindOf, type OptionNames, wrongArgument } from "../core/options.ts";

// Longer than 400 lines because all of it decides on the private state of one request's seat.

/** Most requests have none when they begin, and some none at all. */
const noHandles: StashHandle<object>[] = [];

const noUse: StashUse = {};

const useNames: OptionNames<StashUse> = { page: true };

const rotateNames: OptionNames<RotateOptions> = { keep: "a boolean" };

const pagePattern = /^[A-Za-z0-9_-]{16}$/;

/** What a page is bound to. */
export interface PageSeat {
  /** The session id: nothing of it may leave the process. */
  readonly sid: string;
  /** Until when a session may begin under it, in ms since the epoch; 0 if it has begun. */
  readonly until: number;
}

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
  /** Whose cookie was shown, if it ended a moment ago. */
  #justEnded: Identity | undefined;
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

  /** Tells whether something is a session of these sessions. */
  static isOf(session: unknown, context: SessionContext): session is RequestSession {
    return typeof session === "object" && session !== null && #context in session &&
      session.#context === context;
  }

  get ref(): string {
    return this.#refOf(this.#seat);
  }

  /** Without `async`, and at once where nothing has to be waited for: most requests only read. */
  stash<S extends object>(
    definition: StashDefinition<S>,
    use: StashUse = noUse,
  ): Promise<Stash<S>> {
    try {
      if (!(definition?.scopes instanceof Map)) {
        const is = kindOf(definition);
        throw wrongArgument(`Cannot use a stash: ${is} is not what defineStash() made`);
      }
      if (use !== noUse) checkKnown(use, useNames, `use stash "${definition.name}"`);
      // The session may end, and another begin, while this one is being read.
      const seat = this.#seat;
      const page = use.page !== undefined && pagePattern.test(use.page) ? use.page : undefined;
      const recovering = this.#recover(seat, definition, page);
      if (recovering instanceof Promise) {
        return recovering.then((recovery) => this.#restore(seat, definition, page, recovery));
      }
      const restoring = this.#restore(seat, definition, page, recovering);
      return restoring instanceof Promise ? restoring : Promise.resolve(restoring);
    } catch (error) {
      return Promise.reject(error);
    }
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
    this.#context.notices.ended(identity.keys, "destroyed");
    this.#cookie = { kind: "clear" };
    this.#context.emit?.({ name: "holdfast.session.destroy", ref: refOf(identity) });
  }

  async rotate(options: RotateOptions = {}): Promise<void> {
    checkKnown(options, rotateNames, "rotate a session");
    const { keep = true } = options;
    if (!keep) return await this.destroy();
    await this.#enter();
    const seat = this.#seat;
    while (seat.rotating !== undefined) await seat.rotating.catch(() => {});
    if (seat.identity === undefined || (seat.fresh && !seat.reserved)) return;
    this.#refuseIfSealed();
    if (seat.fresh) return await this.#reserveAgain(seat, seat.identity);
    seat.rotating = this.#rotate(seat, seat.identity).finally(() => seat.rotating = undefined);
    await seat.rotating;
  }

  /**
   * Binds a page to the session, or to an id that is reserved for one that has not begun. Reads
   * nothing if no cookie was shown, and writes nothing (SPEC SE23).
   *
   * @param reads Find out whether the session of a reserved id has begun meanwhile.
   * @throws {HoldfastError} `ERR_SESSION_SEALED` if there is no session and the response was made.
   */
  async reserve(reads: boolean): Promise<PageSeat> {
    const shown = reads ? undefined : await this.#identify();
    if (shown !== undefined && !this.#entered && shown.reservedUntil > this.#context.now()) {
      return { sid: shown.sid, until: shown.reservedUntil };
    }
    try {
      await this.#enter();
    } catch (error) {
      const known = await this.#identify();
      // Whether it is alive, its page will find out when storage answers again.
      if (!(error instanceof StorageUnavailableError) || known === undefined) throw error;
      return { sid: known.sid, until: known.reservedUntil };
    }
    const seat = this.#seat;
    await seat.seating;
    // Its page will be refused, and ask again with the cookie that is on its way.
    if (seat.identity === undefined && this.#justEnded !== undefined) {
      return { sid: this.#justEnded.sid, until: 0 };
    }
    const { sid } = seat.fresh && !seat.reserved
      ? await this.#reserve(seat)
      : must(seat.identity, "what has begun has an id");
    return { sid, until: seat.fresh ? seat.until : 0 };
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

  #restore<S extends object>(
    seat: Seat,
    definition: StashDefinition<S>,
    page: string | undefined,
    recovery: Recovery,
  ): Stash<S> | Promise<Stash<S>> {
    const restoring = restore(definition, recovery);
    return restoring instanceof Promise
      ? restoring.then((restored) => this.#hold(seat, definition, page, restored))
      : this.#hold(seat, definition, page, restoring);
  }

  #hold<S extends object>(
    seat: Seat,
    definition: StashDefinition<S>,
    page: string | undefined,
    restored: Restored<S>,
  ): Stash<S> {
    const { emit } = this.#context;
    if (emit !== undefined) tellRecovery(emit, this.#refOf(seat), definition.name, restored);
    const access = () => this.#access(definition, seat);
    const handle = new StashHandle(definition, restored, page ?? this.#context.newPage, access);
    if (this.#handles === noHandles) this.#handles = [handle];
    else this.#handles.push(handle);
    return handle;
  }

  /** At once where nothing has to be waited for: a promise costs as much as the rest. */
  #recover<S extends object>(
    seat: Seat,
    definition: StashDefinition<S>,
    page: string | undefined,
  ): Recovery | Promise<Recovery> {
    try {
      const entering = this.#enter();
      const alive = entering === undefined ? this.#read(seat) : this.#readAfter(entering, seat);
      return alive instanceof Promise
        ? recoverLater(alive, definition, page)
        : recoverFrom(alive, definition, page);
    } catch (error) {
      return unrecoverable(error);
    }
  }

  async #readAfter(entering: Promise<void>, seat: Seat): Promise<Alive> {
    await entering;
    return await this.#read(seat);
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
    return identity instanceof Promise
      ? identity.then((known) => this.#findAs(seat, known))
      : this.#findAs(seat, identity);
  }

  #findAs(seat: Seat, identity: Identity | undefined): Promise<void> | undefined {
    if (identity === undefined) return undefined;
    const { now } = this.#context;
    const asked = now();
    const alive = locate(this.#context, identity, asked);
    if (alive instanceof Promise) {
      return alive.then((found) => this.#occupy(seat, identity, found, now()));
    }
    this.#occupy(seat, identity, alive, asked);
    return undefined;
  }

  #occupy(seat: Seat, identity: Identity, alive: Alive, now: number): void {
    if (seat.ended) return;
    if (alive.state === undefined) return this.#occupyReserved(seat, identity, alive, now);
    seat.identity = identity;
    seat.fresh = false;
    seat.shown = true;
    this.#found = alive;
    if (identity.keyIndex > 0 && !this.#sealed) {
      this.#cookie = { kind: "set", token: identity.token };
    }
    this.#touch(identity, alive.state, now);
  }

  /** Takes an id that a page was given, if no session has begun under it (SPEC SE24). */
  #occupyReserved(seat: Seat, identity: Identity, { gone, endedAt }: Alive, now: number): void {
    if (endedAt !== undefined && now - endedAt < handoverMs) this.#justEnded = identity;
    if (gone !== "absent" || !(now < identity.reservedUntil)) return;
    seat.identity = identity;
    seat.until = identity.reservedUntil;
    seat.reserved = true;
    seat.shown = true;
  }

  async #reserve(seat: Seat): Promise<Identity> {
    this.#refuseIfSealed();
    const until = this.#context.now() + reservedMs;
    const known = seat.identity?.sid;
    const { identity, cookie } = await this.#context.identities.reserve(until, known);
    // Another root of the same page was first, or a write.
    if (seat.identity !== undefined && seat.identity.sid !== known) return seat.identity;
    seat.identity ??= identity;
    seat.until = until;
    seat.reserved = true;
    this.#cookie = { kind: "set", token: cookie };
    return seat.identity;
  }

  /** Whoever knew the id before must not know it after. */
  async #reserveAgain(seat: Seat, from: Identity): Promise<void> {
    seat.identity = undefined;
    seat.seating = undefined;
    seat.shown = false;
    await this.#reserve(seat);
    this.#context.notices.ended(from.keys, "rotated");
  }

  /** Notes that the user was here; in the background, because nobody waits for it. */
  #touch(identity: Identity, state: SessionState, now: number): void {
    if (shouldTouch(state, this.#context.lifetime, now)) this.#writeTouch(identity);
  }

  #writeTouch(identity: Identity): void {
    const { engine, lifetime, emit } = this.#context;
    const ref = refOf(identity);
    const standing = { createUntil: 0, shown: true };
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
      write: (turn, fresh) => this.#write(seat, turn, fresh, definition.name),
      isEmpty: async () => {
        if (seat.fresh) await this.#enter();
        return seat.fresh;
      },
    });
  }

  async #write<R>(
    seat: Seat,
    turn: SessionTurn<R>,
    fresh: boolean,
    stash: string,
  ): Promise<R> {
    while (seat.rotating !== undefined) await seat.rotating.catch(() => {});
    // A handle whose recovery failed must not begin a session beside the one that could not be read.
    if (seat.fresh && seat.identity === undefined && !seat.ended) await this.#enter();
    if (seat.ended) throw sessionEnded();
    const identity = seat.fresh
      ? await this.#seated(seat)
      : must(seat.identity, "what has begun has an id");
    if (seat.ended) throw sessionEnded();
    const create = seat.fresh;
    if (create && !seat.reserved) this.#refuseIfSealed();
    const standing = { createUntil: create ? seat.until : 0, shown: seat.shown };
    const { reply, wrote, began } = await follow(
      this.#context,
      identity,
      onSession(this.#context, standing, turn),
      fresh,
    );
    this.#found = undefined;
    if (create && wrote) this.#created(seat, identity, began);
    if (wrote) this.#context.notices.changed(identity.keys, stash, undefined);
    return reply;
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
    if (seat.identity === undefined) this.#refuseIfSealed();
    const options = this.#options;
    if (options.admit !== undefined && await options.admit() !== true) {
      throw new HoldfastError("ERR_SESSION_REFUSED", "Cannot begin a session: it was not admitted");
    }
    return seat.identity ??= await this.#context.identities.mint();
  }

  #created(seat: Seat, identity: Identity, began: boolean): void {
    if (!seat.fresh) return;
    if (!seat.reserved) this.#refuseIfSealed();
    seat.fresh = false;
    if (seat === this.#seat && !seat.ended && !this.#sealed) {
      this.#cookie = { kind: "set", token: identity.token };
    }
    if (!began) return;
    this.#context.emit?.({ name: "holdfast.session.create", ref: refOf(identity) });
  }

  async #rotate(seat: Seat, from: Identity): Promise<void> {
    const next = await this.#context.identities.mint();
    const { failure } = await carryOver(this.#context, from, next, seat.shown);
    this.#context.notices.ended(from.keys, "rotated");
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
      "Cannot begin a session: the response has been made and its cookie can no longer be set; " +
        "await what changes the session before you answer",
    );
  }
}
