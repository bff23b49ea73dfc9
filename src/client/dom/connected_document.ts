import type { JsonValue } from "../../core/json.ts";
import { documentProtocol, type ServerFrame, type WireAnswer } from "../../document/wire.ts";
import { retryDelay } from "../backoff.ts";
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
import {
  answered,
  caughtUp,
  did,
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
  #timers: Map<string, ReturnType<typeof setTimeout>> = new Map();
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
    if (this.#joined) this.#send({ t: "here", data });
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
    this.#forget();
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
    this.#forget();
    this.#show("connecting");
    const { url, open = openWebSocket } = this.#options;
    const address = new URL(url, globalThis.location?.href).href;
    const transport = open(address, {
      opened: () => this.#opened(),
      received: (text) => this.#guarded(text),
      closed: (code) => this.#closed(code, transport),
    });
    this.#transport = transport;
    this.#wait("join", this.#timing.connectMs + this.#timing.joinMs, () => this.#cut());
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
      this.#forget();
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
        return this.#cancel("pong");
    }
  }

  #join(frame: Extract<ServerFrame, { t: "joined" }>): void {
    this.#cancel("join");
    this.#joined = true;
    this.#wait("stable", this.#timing.stableMs, () => this.#failed = 0);
    this.#heartbeatMs = frame.heartbeatMs;
    this.#beat();
    this.#status = "connected";
    this.#reason = undefined;
    this.#become(joined(this.#spec, this.#replica, frame));
    if (this.#here !== undefined) this.#send({ t: "here", data: this.#here });
    this.#flush();
  }

  #answered(seq: number, answer: WireAnswer): void {
    this.#become(answered(this.#spec, this.#replica, seq, answer));
    if (answer.status === "error" && answer.retry) {
      return this.#wait("again", this.#timing.retryMs[2] ?? 1000, () => this.#flush());
    }
    this.#waiting.get(seq)?.resolve(answer);
    this.#waiting.delete(seq);
  }

  /** Sends what has not been sent, in order. */
  #flush(): void {
    if (!this.#joined) return;
    const [replica, pending] = toSend(this.#replica);
    this.#replica = replica;
    for (const { kind, seq, op } of pending) {
      this.#send(kind === "op" ? { t: kind, seq, op } : { t: kind, seq });
    }
  }

  #closed(code: number, transport: Transport): void {
    if (transport !== this.#transport) return;
    this.#transport = undefined;
    this.#joined = false;
    this.#parts = "";
    this.#forget();
    const closing = afterDocumentClose(code);
    if (closing.next !== "retry") {
      return this.#stop(String(code), closing.next === "stop" ? "stopped" : "replaced");
    }
    this.#show("connecting");
    // Nobody looks: it waits until somebody does.
    if (globalThis.document?.hidden === true) return;
    const chance = Math.random();
    const delayMs = Math.max(closing.afterMs, retryDelay(this.#timing, this.#failed++, chance));
    this.#wait("retry", delayMs, () => this.#open());
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
    this.#forget();
    const transport = this.#transport;
    this.#transport = undefined;
    this.#joined = false;
    this.#parts = "";
    transport?.close(code);
  }

  /** Somebody looks again: a connection may have died unnoticed, for hidden pages sleep. */
  #seen(): void {
    if (globalThis.document?.hidden === true || this.#status === "replaced") return;
    if (this.#transport === undefined) this.reconnect();
    else if (this.#joined) this.#ping();
  }

  #beat(): void {
    this.#wait("beat", this.#heartbeatMs, () => {
      this.#ping();
      this.#beat();
    });
  }

  #ping(): void {
    this.#send({ t: "ping", n: ++this.#pings });
    // The answer to the one before would do, too.
    if (!this.#timers.has("pong")) this.#wait("pong", this.#timing.pongMs, () => this.#cut());
  }

  #send(frame: object): void {
    this.#transport?.send(JSON.stringify(frame));
  }

  #stop(reason: string, status: DocumentStatus = "stopped"): void {
    this.#reason = reason;
    this.#show(status);
  }

  #show(status: DocumentStatus): void {
    if (this.#status === status) return;
    this.#status = status;
    this.#tell();
  }

  #become(replica: Replica<S, Op>): void {
    const kept = this.#replica.pending !== replica.pending;
    this.#replica = replica;
    if (kept) this.#save();
    this.#tell();
  }

  #tell(): void {
    this.#snapshot = undefined;
    for (const listener of [...this.#listeners]) listener();
  }

  #save(): void {
    this.#keep?.save(keptText(this.#spec, this.#client, this.#replica));
  }

  #wait(name: string, ms: number, then: () => void): void {
    this.#cancel(name);
    this.#timers.set(
      name,
      setTimeout(() => {
        this.#timers.delete(name);
        then();
      }, ms),
    );
  }

  #cancel(name: string): void {
    clearTimeout(this.#timers.get(name));
    this.#timers.delete(name);
  }

  #forget(): void {
    for (const name of [...this.#timers.keys()]) this.#cancel(name);
  }
}
