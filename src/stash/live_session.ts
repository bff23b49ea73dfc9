import { HoldfastError } from "../core/errors.ts";
import { type Age, expiry, shouldTouch } from "../core/ttl.ts";
import {
  type Alive,
  judge,
  onSession,
  type SessionContext,
  sessionEnded,
  type SessionTurn,
} from "./context.ts";
import type { StashDefinition } from "./definition.ts";
import { type SliceAccess, StashHandle } from "./handle.ts";
import type { Identity } from "./identities.ts";
import { locate } from "./locate.ts";
import type { SessionWatcher } from "./notices.ts";
import { follow, recoverFrom, refOf, tellRecovery, unrecoverable } from "./reach.ts";
import { reservedMs } from "./reserve.ts";
import { restore, type Restored } from "./restore.ts";
import { sliceAccess } from "./slice_access.ts";
import type { Recovery } from "./slices.ts";
import { type Draft, readSlice } from "./state.ts";

/** How a view uses a part of the session. */
export interface LiveStashUse {
  /** The page instance its drafts belong to. */
  readonly page: string;
  /** The page instance begins: if there is a draft of it, it gets another name. */
  readonly begins: boolean;
  /** How many connections of the page instance came before this one. */
  readonly mounts: number;
  /** What of the stored slice is left out because views keep crashing on it. */
  readonly skip: "nothing" | "drafts" | "all";
  /** Read nothing: there is nothing to recover. */
  readonly blind: boolean;
  /** Whom the watchers of the session are told as the one who stored something. */
  readonly by: unknown;
}

/** What a look at a session found. */
export type LiveStanding = "begun" | "unborn" | "over";

/** How long before its time is up a look at a reserved id makes it last longer. */
const renewMs = reservedMs / 10;

/**
 * The browser session as a page's connection has it: for hours, and without a response that could
 * set a cookie. So it has the id it was opened with, and ends with it.
 */
export class LiveSession {
  readonly #context: SessionContext;
  readonly #identity: Identity;
  readonly #admit: (() => boolean | Promise<boolean>) | undefined;
  /** Until when it may begin; 0 once it has. */
  #until: number;
  #age: Age | undefined;
  #begun: boolean;
  #over = false;

  /** @param until Until when a session may begin under the id; 0 if it has begun. */
  constructor(
    context: SessionContext,
    identity: Identity,
    until: number,
    admit: (() => boolean | Promise<boolean>) | undefined,
  ) {
    this.#context = context;
    this.#identity = identity;
    this.#until = until;
    this.#begun = until === 0;
    this.#admit = admit;
  }

  /** Names the session within this process; never leaves it. */
  get key(): string {
    return this.#identity.keys[0] ?? "";
  }

  /** The session id; never leaves the process. */
  get sid(): string {
    return this.#identity.sid;
  }

  /** A short name for logs; empty while nothing is stored. */
  get ref(): string {
    return this.#begun ? refOf(this.#identity) : "";
  }

  /** Until when a session may begin under the id, in ms since the epoch; 0 once it has. */
  get until(): number {
    return this.#until;
  }

  /** Whether it was found to have ended. */
  get over(): boolean {
    return this.#over;
  }

  /** When to look again: it will have expired, or may not begin any more. In ms since the epoch. */
  get lookAt(): number {
    if (!this.#begun) return this.#until - renewMs;
    return this.#age === undefined ? Infinity : expiry(this.#age, this.#context.lifetime);
  }

  /** Watches what becomes of the session in this process. */
  watch(watcher: SessionWatcher): () => void {
    return this.#context.notices.watch(this.key, watcher);
  }

  /**
   * Finds out what has become of it. While nothing is stored, and nothing that ended is there either,
   * it may begin for another while: whatever ended since the last look would still be there.
   *
   * @throws {StorageUnavailableError} If storage fails.
   */
  async look(): Promise<LiveStanding> {
    const alive = await locate(this.#context, this.#identity);
    if (alive.state !== undefined) {
      this.#born(alive.state);
      return "begun";
    }
    const now = this.#context.now();
    if (alive.gone !== "absent" || !(now < this.#until)) {
      this.#over = true;
      return "over";
    }
    this.#until = now + reservedMs;
    return "unborn";
  }

  /** Notes that the user is here, in the background, if that has not been noted for long. */
  active(): void {
    const { lifetime, now, engine, emit } = this.#context;
    if (this.#age === undefined || !shouldTouch(this.#age, lifetime, now())) return;
    this.#age = { ...this.#age, seen: now(), confirmed: true };
    const turn = onSession(this.#context, { createUntil: 0, shown: true }, (session, at) => ({
      session: shouldTouch(session, lifetime, at) ? { ...session } : session,
      reply: undefined,
    }));
    const { ref } = this;
    engine.run(this.key, turn).then(
      ({ wrote }) => wrote && emit?.({ name: "holdfast.session.touch", ref }),
      (error) => emit?.({ name: "holdfast.session.touch", ref, error }),
    );
  }

  /** Recovers a part of the session's state; never rejects because of storage. */
  async stash<S extends object>(
    definition: StashDefinition<S>,
    use: LiveStashUse,
  ): Promise<StashHandle<S>> {
    const { restored, page, turn } = await this.#restore(definition, use);
    const { emit } = this.#context;
    if (emit !== undefined && !use.blind) tellRecovery(emit, this.ref, definition.name, restored);
    return new StashHandle(
      definition,
      restored,
      page,
      () => this.#access(definition, use, use.skip === "all" && restored.status === "discarded"),
      turn,
    );
  }

  async #restore<S extends object>(
    definition: StashDefinition<S>,
    { page, begins, mounts, skip, blind }: LiveStashUse,
  ): Promise<{ readonly restored: Restored<S>; readonly page: string; readonly turn: number }> {
    const as = async (recovery: Recovery, of = page, turn = mounts + 1) => ({
      restored: await restore(definition, recovery),
      page: of,
      turn,
    });
    if (blind) return await as({ status: "not_found", fields: {} });
    let alive: Alive;
    try {
      alive = await this.#read();
    } catch (error) {
      return await as(unrecoverable(error));
    }
    const draft = draftIn(alive, definition.name, page);
    const own = begins && draft !== undefined ? this.#context.newPage() : page;
    // Also a copy of the page that counts for itself comes after what is stored.
    const turn = own === page ? Math.max(mounts, draft?.turn ?? 0) + 1 : 1;
    const found = recoverFrom(alive, definition, own);
    const usable = found.status === "recovered" || found.status === "migrated";
    if (skip === "nothing" || !usable) return await as(found, own, turn);
    if (skip === "all") return await as({ ...found, status: "discarded", fields: {} }, own, turn);
    const { restored } = await as(recoverFrom(alive, definition, undefined));
    const { submitted = 0 } = found;
    // What is left out has to be overwritten, or it would be found again.
    const fields = { ...found.fields, ...restored.fields };
    return { restored: { ...restored, fields, submitted }, page: own, turn };
  }

  async #read(): Promise<Alive> {
    const { engine, lifetime, now } = this.#context;
    const alive = judge(await engine.read(this.key), lifetime, now());
    if (alive.gone === "ended" || alive.gone === "expired") this.#over = true;
    const isElsewhere = alive.state?.moved !== undefined ||
      (alive.gone === "absent" && this.#identity.keys.length > 1);
    const found = isElsewhere ? await locate(this.#context, this.#identity) : alive;
    if (found.state === undefined && this.#begun) this.#over = true;
    if (found.state !== undefined) this.#born(found.state);
    return found;
  }

  #born(age: Age): void {
    const { created, seen, confirmed } = age;
    this.#age = { created, seen, confirmed };
    this.#begun = true;
    this.#until = 0;
  }

  #access<S extends object>(
    definition: StashDefinition<S>,
    { by }: LiveStashUse,
    setAside: boolean,
  ): SliceAccess {
    const { emit, drafts } = this.#context;
    return sliceAccess({
      definition,
      drafts,
      emit,
      ref: () => this.ref,
      write: (turn, fresh) => this.#write(turn, fresh, definition.name, by),
      isEmpty: async () => !this.#begun && await this.look() !== "begun",
      setAside,
    });
  }

  async #write<R>(turn: SessionTurn<R>, fresh: boolean, stash: string, by: unknown): Promise<R> {
    if (!this.#begun) await this.#beginning();
    const { notices, emit } = this.#context;
    const { keys } = this.#identity;
    let runs = 0;
    const counted: SessionTurn<R> = (session, now) => {
      runs++;
      return turn(session, now);
    };
    const standing = { createUntil: this.#until, shown: true };
    const { reply, wrote, began } = await follow(
      this.#context,
      this.#identity,
      onSession(this.#context, standing, counted),
      fresh,
    );
    if (!wrote) return reply;
    const now = this.#context.now();
    this.#born({ created: this.#age?.created ?? now, seen: now, confirmed: true });
    if (began) emit?.({ name: "holdfast.session.create", ref: this.ref });
    // Run again: another node has written in between.
    if (runs > 1) notices.changed(keys, undefined, undefined);
    notices.changed(keys, stash, by);
    return reply;
  }

  async #beginning(): Promise<void> {
    // Nodes that disagree on which secret is current would begin it under different keys.
    if (this.#identity.keys.length > 1 && await this.look() === "over") throw sessionEnded();
    if (this.#begun || this.#admit === undefined || await this.#admit() === true) return;
    throw new HoldfastError("ERR_SESSION_REFUSED", "Cannot begin a session: it was not admitted");
  }
}

function draftIn({ state }: Alive, name: string, page: string): Draft | undefined {
  const slice = state === undefined ? undefined : readSlice(state.views, name);
  if (slice === undefined || slice === "damaged") return undefined;
  return Object.hasOwn(slice.drafts, page) ? slice.drafts[page] : undefined;
}
