import { HoldfastError } from "../core/errors.ts";
import type { JsonValue } from "../core/json.ts";
import type { Clock } from "../ports/clock.ts";
import type { DocumentClient, Membership } from "./client.ts";
import type { DocumentFrame, Outgoing } from "./frame.ts";
import type { MutateAnswer } from "./model.ts";
import { OutBox } from "./out_box.ts";
import {
  type ClientFrame,
  documentProtocol,
  encodeCatchUp,
  readClientFrame,
  type WireAnswer,
} from "./wire.ts";

/** Codes a document's socket is closed with, beside those of RFC 6455. */
export const documentCloseCode = {
  /** A frame that is none. Not tried again. */
  badMessage: 4400,
  /** The session of the request is over. Tried again: there may be another one. */
  unauthorized: 4401,
  /** Not allowed to join. */
  refused: 4403,
  /** No join in time, or no sign of life. */
  silent: 4408,
  /** A newer connection of the same client is there. */
  replaced: 4409,
  /** The document was deleted. */
  gone: 4410,
  /** A frame too large. */
  tooLarge: 4413,
  /** A protocol, or a version of the document, that this server does not have. */
  version: 4426,
  /** Too many frames. Tried again later. */
  rate: 4429,
} as const;

/** Not now: tried again later (RFC 6455). */
const laterCode = 1013;

/** So many heartbeats that do not come are one's last. */
const missedBeats = 3;

/** What a connection may do, in milliseconds, bytes and frames. */
export interface ConnectionLimits {
  readonly joinMs: number;
  readonly heartbeatMs: number;
  readonly maxFrameBytes: number;
  readonly framesPerSecond: number;
  readonly burst: number;
  readonly maxBacklogBytes: number;
}

/** Limits used where nothing else is said. */
export const defaultConnectionLimits: ConnectionLimits = {
  joinMs: 10_000,
  heartbeatMs: 25_000,
  maxFrameBytes: 65_536,
  framesPerSecond: 100,
  burst: 200,
  maxBacklogBytes: 1_048_576,
};

/** What a connection stands on. */
export interface ConnectionPorts {
  readonly clock: Clock;
  readonly document: DocumentClient<JsonValue, JsonValue>;
  /** Version of the document that this server knows. */
  readonly vsn: number;
  readonly actor: string | null;
  readonly readOnly: boolean;
  /** A client's name as others see it: nobody else can take it. */
  nameOf(client: string): string | Promise<string>;
  /** The user has done something. */
  active(): void;
  send(text: string): void;
  /** Bytes that wait to be sent by the socket. */
  buffered(): number;
  close(code: number, reason: string): void;
}

/** A socket of a document: takes frames in, sends frames out, at the pace of the client. */
export class DocumentConnection {
  readonly #ports: ConnectionPorts;
  readonly #limits: ConnectionLimits;
  readonly #out: OutBox;
  #membership: Membership<JsonValue, JsonValue> | undefined;
  #state: "new" | "joining" | "joined" | "closed" = "new";
  /** Ends the wait for the join, and then that for the next sign of life. */
  #cancelWait: () => void;
  #heardAt = 0;
  #tokens: number;
  #tokensAt: number;

  constructor(ports: ConnectionPorts, limits: ConnectionLimits = defaultConnectionLimits) {
    const { clock } = ports;
    this.#ports = ports;
    this.#limits = limits;
    this.#tokens = limits.burst;
    this.#tokensAt = clock.monotonic();
    this.#out = new OutBox({
      clock,
      send: (text) => ports.send(text),
      buffered: () => ports.buffered(),
      drained: () => this.#membership?.resume(),
      overflow: () => this.#close(documentCloseCode.rate, "too much to send"),
    }, limits.maxBacklogBytes);
    this.#cancelWait = clock.timer(
      limits.joinMs,
      () => this.#close(documentCloseCode.silent, "no join"),
      { background: true },
    );
  }

  /** A text frame has come. */
  received(text: string): void {
    if (this.#state === "closed") return;
    this.#heardAt = this.#ports.clock.monotonic();
    if (!this.#mayGoOn()) return this.#close(documentCloseCode.rate, "too many frames");
    const { maxFrameBytes } = this.#limits;
    if (text.length > maxFrameBytes) return this.#close(documentCloseCode.tooLarge, "too large");
    const frame = readClientFrame(text, maxFrameBytes);
    if (typeof frame === "string") return this.#close(documentCloseCode.badMessage, frame);
    this.#handle(frame);
  }

  /** The session that the rights are from is over. */
  sessionOver(): void {
    this.#close(documentCloseCode.unauthorized, "the session is over");
  }

  /** The socket is closed. */
  closed(): void {
    this.#state = "closed";
    this.#cancelWait();
    this.#out.close();
    this.#membership?.leave();
  }

  #handle(frame: ClientFrame): void {
    if (frame.t === "ping") {
      this.#membership?.heard();
      return this.#out.add(JSON.stringify({ t: "pong", n: frame.n }));
    }
    if (frame.t === "join") {
      if (this.#state !== "new") return this.#close(documentCloseCode.badMessage, "joined twice");
      this.#state = "joining";
      return void this.#join(frame);
    }
    const membership = this.#membership;
    if (membership === undefined) return this.#close(documentCloseCode.badMessage, "not joined");
    membership.heard();
    if (frame.t === "here") return this.#here(membership, frame.data);
    this.#ports.active();
    const answering = frame.t === "op"
      ? membership.mutate(frame.op, frame.seq)
      : membership[frame.t](frame.seq);
    void this.#answer(frame.seq, answering);
  }

  async #join({ v, vsn, client, since }: Extract<ClientFrame, { t: "join" }>): Promise<void> {
    const { document, actor, readOnly, nameOf } = this.#ports;
    if (v !== documentProtocol) return this.#close(documentCloseCode.version, "protocol");
    const newer = (vsn ?? this.#ports.vsn) - this.#ports.vsn;
    // The page has to be loaded again; or it was, and another server will know its version (SPEC DC13).
    if (newer < 0) return this.#close(documentCloseCode.version, "page too old");
    if (newer > 0) return this.#close(laterCode, "server too old");
    try {
      const you = await nameOf(client);
      const membership = await document.join({
        actor,
        client: you,
        readOnly,
        deliver: (frame, outgoing) => this.#deliver(frame, outgoing),
        ...(since === undefined ? {} : { since }),
      });
      this.#cancelWait();
      // The socket may have gone meanwhile.
      if ((this.#state as string) === "closed") return membership.leave();
      const { epoch, presence, acked, catchUp } = membership;
      const { heartbeatMs, framesPerSecond: perSecond, burst } = this.#limits;
      this.#membership = membership;
      this.#state = "joined";
      this.#listen();
      const rate = { perSecond, burst };
      const head = { t: "joined", you, epoch, presence, acked, heartbeatMs, rate };
      this.#out.open(encodeCatchUp(head, catchUp));
    } catch (error) {
      this.#refuse(error);
    }
  }

  /** Closes a connection whose other end is gone without a word. */
  #listen(): void {
    const { clock } = this.#ports;
    const silentAt = this.#heardAt + missedBeats * this.#limits.heartbeatMs;
    const leftMs = silentAt - clock.monotonic();
    if (leftMs <= 0) return this.#close(documentCloseCode.silent, "no sign of life");
    this.#cancelWait = clock.timer(leftMs, () => this.#listen(), { background: true });
  }

  /** Frames that come before the answer to the join wait for it. */
  #deliver(frame: DocumentFrame, outgoing: Outgoing): boolean {
    if (this.#state === "closed") return true;
    if (frame.t === "end") {
      this.#close(endCode(frame.code), frame.code);
      return true;
    }
    const frames = frame.t === "catch_up"
      ? encodeCatchUp({ t: frame.t, epoch: frame.epoch }, frame.catchUp)
      : outgoing.parts;
    return this.#out.offer(frames, frame.t === "catch_up");
  }

  #here(membership: Membership<JsonValue, JsonValue>, data: JsonValue): void {
    try {
      membership.here(data);
    } catch {
      this.#close(documentCloseCode.badMessage, "presence is too large");
    }
  }

  async #answer(seq: number, answering: Promise<MutateAnswer<JsonValue>>): Promise<void> {
    const answer: WireAnswer = await answering.catch((error) => failure(error));
    this.#out.add(JSON.stringify({ t: "answer", seq, answer }));
  }

  #refuse(error: unknown): void {
    const code = error instanceof HoldfastError ? error.code : "ERR_UNKNOWN";
    this.#close(endCode(code), code);
  }

  #mayGoOn(): boolean {
    const { framesPerSecond, burst } = this.#limits;
    const now = this.#ports.clock.monotonic();
    const gained = (now - this.#tokensAt) / 1000 * framesPerSecond;
    this.#tokens = Math.min(burst, this.#tokens + gained) - 1;
    this.#tokensAt = now;
    return this.#tokens >= 0;
  }

  #close(code: number, reason: string): void {
    if (this.#state === "closed") return;
    this.closed();
    // A reason has at most 123 bytes.
    this.#ports.close(code, reason.slice(0, 60));
  }
}

/** With which code a socket ends whose document has. */
function endCode(code: string): number {
  switch (code) {
    case "replaced":
      return documentCloseCode.replaced;
    case "ERR_DELETED":
      return documentCloseCode.gone;
    case "ERR_REFUSED":
      return documentCloseCode.refused;
    case "ERR_NEWER_VERSION":
      return documentCloseCode.version;
    case "ERR_CLOSED":
      return 1012;
    default:
      // Storage, or something that only the server can put right: later, perhaps.
      return laterCode;
  }
}

/** An error as an answer: with its code, never with a message that may tell of the server. */
function failure(error: unknown): WireAnswer {
  if (!(error instanceof HoldfastError)) {
    return { status: "error", code: "ERR_APPLY", retry: false };
  }
  return { status: "error", code: error.code, retry: error.retryable };
}
