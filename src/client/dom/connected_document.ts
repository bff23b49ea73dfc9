// Longer than 400 lines because all of it decides on the private state of one connected document.
import type { JsonValue } from "../../core/json.ts";
import { documentProtocol, type ServerFrame, type WireAnswer } from "../../document/wire.ts";
import { retryDelay } from "../backoff.ts";
import { Timers } from "./timers.ts";
import { openWebSocket, type Transport } from "./transport.ts";
import { defaultTiming, type Timing } from "../timing.ts";
import { afterDocumentClose } from "../document/closing.ts";
import type {
  ConnectedDocument,
  DocumentOptions,
  DocumentSnapshot,
  DocumentStatus,
  KeptStore,
} from "../document/options.ts";
import { keptText, revive } from "../document/kept.ts";
import { Pace, rateOf } from "../document/pace.ts";
import {
  alone,
  answered,
  caughtUp,
  did,
  fresh,
  GapError,
  heard,
  joined,
  newReplica,
  type Pending,
  type Replica,
  type ReplicaSpec,
  saw,
  toSend,
} from "../document/replica.ts";

/** Whoever waits for an answer. */
interface Waiting {
  readonly resolve: (answer: WireAnswer) => void;
  readonly reject: (error: unknown) => void;
}

/** What the user sees is made anew in a fifth of the time, at most. */
const freshShare = 5;

/** Milliseconds between keeping what is left of what was done: what is answered since does no harm. */
const keepEveryMs = 500;

/** Implements {@linkcode ConnectedDocument}. */
export class Connected<S, Op> implements ConnectedDocument<S, Op> {
  readonly #spec: ReplicaSpec<S, Op>;
  readonly #options: DocumentOptions<S, Op>;
  readonly #timing: Timing;
  readonly #client: string;
  readonly #keep: KeptStore | undefined;
  readonly #listeners: Set<() => void> = new Set();
  readonly #waiting: Map<number, Waiting> = new Map();
  #replica: Replica<S, Op>;
  #status: DocumentStatus = "connecting";
  #reason: string | undefined;
  #snapshot: DocumentSnapshot<S> | undefined;
  #transport: Transport | undefined;
  #joined = false;
  #parts = "";
  #failed = 0;
  #heartbeatMs = Infinity;
  #pings = 0;
  #here: JsonValue | undefined;
  /** It was not said over the connection there is. */
  #unsaid = false;
  #pace: Pace = new Pace(rateOf(), 0);
  /** When what the user sees may be made anew. */
  #freshAt = 0;
  /** What the connection there is waits for. */
  readonly #timers: Timers = new Timers();
  /** What the page waits for, connected or not. */
  readonly #ownTimers: Timers = new Timers();
  #ended = new AbortController();

  /** @param client Names a client that has nothing kept; nobody can guess it. */
  constructor(options: DocumentOptions<S, Op>, client: string) {
    this.#options = options;
    this.#spec = options.definition.spec;
    this.#timing = { ...defaultTiming, ...options.timing };
    const replica = newReplica(this.#spec);
    const kept = revive(this.#spec, replica, options.keep?.load() ?? null);
    this.#replica = replica;
    this.#client = client;
    if (kept === "newer") {
      // An older page was loaded than the one that has kept it: it must not be written over.
      this.#keep = undefined;
      this.#stop("4426");
      return;
    }
    this.#keep = options.keep;
    if (kept !== undefined) ({ client: this.#client, replica: this.#replica } = kept);
    const { signal } = this.#ended;
    globalThis.addEventListener?.("online", () => this.#seen(), { signal });
    globalThis.addEventListener?.("offline", () => this.#offline(), { signal });
    globalThis.addEventListener?.("pagehide", () => this.#suspend(), { signal });
    globalThis.addEventListener?.("pageshow", () => this.#seen(), { signal });
    globalThis.addEventListener?.("focus", () => this.#seen(), { signal });
    globalThis.document?.addEventListener("visibilitychange", () => this.#seen(), { signal });
    this.#open();
  }

  readonly getSnapshot = (): DocumentSnapshot<S> => {
    if (this.#snapshot === undefined) this.#freshen();
    const { view, confirmed, seq, pending, presence, you } = this.#replica;
    return this.#snapshot ??= {
      state: view,
      confirmed,
      seq,
      status: this.#status,
      reason: this.#reason,
      pending: pending.length,
      presence,
      you,
    };
  };

  /** Doing much again takes time, of which the page needs the most for other things. */
  #freshen(): void {
    const { stale, pending } = this.#replica;
    if (!stale) return;
    const now = performance.now();
    if (now < this.#freshAt && pending.length > 0) {
      if (this.#ownTimers.has("fresh")) return;
      return this.#ownTimers.set("fresh", this.#freshAt - now, () => this.#tell());
    }
    this.#replica = fresh(this.#spec, this.#replica);
    this.#freshAt = now + (performance.now() - now) * freshShare;
  }

  readonly subscribe = (listener: () => void): () => void => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };

  mutate(op: Op): Promise<WireAnswer> {
    return this.#do({ kind: "op", op });
  }

  undo(): Promise<WireAnswer> {
    return this.#do({ kind: "undo" });
  }

  redo(): Promise<WireAnswer> {
    return this.#do({ kind: "redo" });
  }

  here(data: JsonValue): void {
    this.#here = data;
    this.#unsaid = true;
    this.#say();
  }

  reconnect(): void {
    if (this.#ended.signal.aborted || this.#transport !== undefined) return;
    if (this.#status === "stopped") return;
    this.#failed = 0;
    this.#open();
  }

  close(): void {
    if (this.#ended.signal.aborted) return;
    this.#ended.abort();
    if (this.#ownTimers.has("save")) this.#save();
    this.#timers.clearAll();
    this.#ownTimers.clearAll();
    this.#transport?.close(1000);
    this.#transport = undefined;
    const error = new Error("Cannot wait for an answer: the document was closed");
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
    this.#listeners.clear();
  }

  #do(what: Pick<Pending<Op>, "kind" | "op">): Promise<WireAnswer> {
    if (this.#ended.signal.aborted) {
      return Promise.reject(new Error("Cannot change a document: it was closed"));
    }
    const { next } = this.#replica;
    return new Promise((resolve, reject) => {
      this.#waiting.set(next, { resolve, reject });
      this.#become(did(this.#spec, this.#replica, what));
      this.#flush();
    });
  }

  #open(): void {
    if (globalThis.navigator?.onLine === false) return this.#offline();
    this.#timers.clearAll();
    this.#show("connecting");
    const { url, open = openWebSocket } = this.#options;
    const address = new URL(url, globalThis.location?.href).href;
    const transport = open(address, {
      opened: () => this.#opened(),
      received: (text) => this.#guarded(text),
      closed: (code) => this.#closed(code, transport),
    });
    this.#transport = transport;
    this.#timers.set("join", this.#timing.connectMs + this.#timing.joinMs, () => this.#cut());
  }

  #opened(): void {
    const { epoch, seq } = this.#replica;
    const since = epoch === undefined ? {} : { since: { epoch, seq } };
    const { vsn } = this.#spec;
    this.#send({ t: "join", v: documentProtocol, vsn, client: this.#client, ...since });
  }

  /** A frame that cannot be used ends the connection: the next one brings everything again. */
  #guarded(text: string): void {
    try {
      this.#received(text);
    } catch (error) {
      if (error instanceof GapError) return this.#cut();
      this.#timers.clearAll();
      this.#transport?.close(4000);
      this.#transport = undefined;
      this.#joined = false;
      this.#stop(String(error));
    }
  }

  #received(text: string): void {
    const frame: ServerFrame = JSON.parse(text);
    switch (frame.t) {
      case "part":
        this.#parts += frame.text;
        if (frame.left > 0) return;
        text = this.#parts;
        this.#parts = "";
        return this.#received(text);
      case "joined":
        return this.#join(frame);
      case "ops":
        return this.#become(heard(this.#spec, this.#replica, frame.entries));
      case "catch_up":
        return this.#become(caughtUp(this.#spec, this.#replica, frame.epoch, frame.catchUp));
      case "presence":
        return this.#become(saw(this.#replica, frame.set, frame.gone));
      case "answer":
        return this.#answered(frame.seq, frame.answer);
      case "pong":
        return this.#timers.clear("pong");
    }
  }

  #join(frame: Extract<ServerFrame, { t: "joined" }>): void {
    this.#timers.clear("join");
    this.#ownTimers.clear("alone");
    this.#joined = true;
    this.#timers.set("stable", this.#timing.stableMs, () => this.#failed = 0);
    this.#heartbeatMs = frame.heartbeatMs;
    this.#beat();
    this.#status = "connected";
    this.#reason = undefined;
    this.#pace = new Pace(rateOf(frame.rate), performance.now());
    this.#become(joined(this.#spec, this.#replica, frame));
    this.#unsaid = this.#here !== undefined;
    this.#say();
    this.#flush();
  }

  #answered(seq: number, answer: WireAnswer): void {
    this.#become(answered(this.#replica, seq, answer));
    if (answer.status === "error" && answer.retry) {
      // Those after it are refused as well, and wait no longer for that.
      if (this.#timers.has("again")) return;
      return this.#timers.set("again", this.#timing.retryMs[2] ?? 1000, () => this.#flush());
    }
    this.#waiting.get(seq)?.resolve(answer);
    this.#waiting.delete(seq);
    this.#flush();
  }

  /** Sends what has not been sent, in order, as fast as the server takes it. */
  #flush(): void {
    if (!this.#joined || this.#timers.has("again")) return;
    const { length } = this.#replica.pending;
    const unsent = this.#replica.pending.filter(({ sent }) => !sent).length;
    if (unsent === 0) return;
    const now = performance.now();
    const [replica, pending] = toSend(
      this.#replica,
      this.#pace.operations(length - unsent, now),
    );
    this.#replica = replica;
    this.#pace.sent(pending.length, now);
    for (const { kind, seq, op } of pending) {
      this.#send(kind === "op" ? { t: kind, seq, op } : { t: kind, seq });
    }
    if (pending.length === unsent) return;
    const waitMs = this.#pace.waitMs(length - unsent + pending.length, now);
    if (waitMs !== undefined) this.#timers.set("pace", waitMs, () => this.#flush());
  }

  /** Says where the user is, not more often than others are told: the latest is what counts. */
  #say(): void {
    if (!this.#joined || !this.#unsaid || this.#timers.has("here")) return;
    this.#unsaid = false;
    this.#send({ t: "here", data: this.#here });
    this.#pace.sent(1, performance.now());
    this.#timers.set("here", this.#pace.hereEveryMs, () => this.#say());
  }

  #closed(code: number, transport: Transport): void {
    if (transport !== this.#transport) return;
    this.#transport = undefined;
    this.#joined = false;
    this.#parts = "";
    this.#timers.clearAll();
    const closing = afterDocumentClose(code);
    if (closing.next !== "retry") {
      return this.#stop(String(code), closing.next === "stop" ? "stopped" : "replaced");
    }
    this.#show("connecting");
    // One that is back in a moment has not been away.
    if (!this.#ownTimers.has("alone")) {
      this.#ownTimers.set("alone", this.#timing.quietMs, () => this.#become(alone(this.#replica)));
    }
    // Nobody looks: it waits until somebody does. Or whoever was told has connected it already.
    if (globalThis.document?.hidden === true || this.#transport !== undefined) return;
    const chance = Math.random();
    const delayMs = Math.max(closing.afterMs, retryDelay(this.#timing, this.#failed++, chance));
    this.#timers.set("retry", delayMs, () => this.#open());
  }

  /** The connection is dead, or never came to life. */
  #cut(): void {
    const transport = this.#transport;
    if (transport === undefined) return;
    transport.close(4000);
    this.#closed(1006, transport);
  }

  #offline(): void {
    // Neither comes to life again because the network was away for a moment.
    if (this.#status === "replaced" || this.#status === "stopped") return;
    this.#leave(4000);
    this.#show("offline");
  }

  /** The page goes away, perhaps to come back as it is: with a connection the browser would not keep it. */
  #suspend(): void {
    this.#leave(1000);
    if (this.#status === "connected") this.#show("connecting");
  }

  #leave(code: number): void {
    this.#timers.clearAll();
    const transport = this.#transport;
    this.#transport = undefined;
    this.#joined = false;
    this.#parts = "";
    transport?.close(code);
    this.#become(alone(this.#replica));
  }

  /** Somebody looks again: a connection may have died unnoticed, for hidden pages sleep. */
  #seen(): void {
    if (globalThis.document?.hidden === true || this.#status === "replaced") return;
    if (this.#transport === undefined) this.reconnect();
    else if (this.#joined) this.#ping();
  }

  #beat(): void {
    this.#timers.set("beat", this.#heartbeatMs, () => {
      this.#ping();
      this.#beat();
    });
  }

  #ping(): void {
    this.#send({ t: "ping", n: ++this.#pings });
    // The answer to the one before would do, too.
    if (!this.#timers.has("pong")) this.#timers.set("pong", this.#timing.pongMs, () => this.#cut());
  }

  #send(frame: object): void {
    this.#transport?.send(JSON.stringify(frame));
  }

  #stop(reason: string, status: DocumentStatus = "stopped"): void {
    this.#reason = reason;
    this.#become(alone(this.#replica));
    this.#show(status);
  }

  #show(status: DocumentStatus): void {
    if (this.#status === status) return;
    this.#status = status;
    this.#tell();
  }

  #become(replica: Replica<S, Op>): void {
    const before = this.#replica;
    if (replica === before) return;
    this.#replica = replica;
    if (before.pending !== replica.pending) {
      // What is answered and still kept is only asked for once more.
      if (replica.pending.length === 0 || before.next !== replica.next) this.#save();
      else if (!this.#ownTimers.has("save")) {
        this.#ownTimers.set("save", keepEveryMs, () => this.#save());
      }
    }
    this.#tell();
  }

  #tell(): void {
    this.#snapshot = undefined;
    for (const listener of [...this.#listeners]) listener();
  }

  #save(): void {
    this.#ownTimers.clear("save");
    this.#keep?.save(keptText(this.#spec, this.#client, this.#replica));
  }
}
