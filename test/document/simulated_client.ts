import type { VirtualClock } from "../../adapters/testing/virtual_clock.ts";
import {
  answered,
  caughtUp,
  did,
  fresh,
  heard,
  joined,
  newReplica,
  type Replica,
  type ReplicaSpec,
  toSend,
} from "../../src/client/document/replica.ts";
import { Pace, rateOf } from "../../src/client/document/pace.ts";
import type { DocumentClient } from "../../src/document/client.ts";
import { DocumentConnection } from "../../src/document/connection.ts";
import { documentProtocol, type ServerFrame, type WireAnswer } from "../../src/document/wire.ts";

/** What a link does with what goes over it. */
export interface LinkFaults {
  /** Milliseconds a frame takes. */
  delayMs(): number;
  /** The link breaks before this frame. */
  breaks(): boolean;
}

/** A connection, and when what was sent last each way arrives. */
interface Link {
  connection: DocumentConnection;
  joined: boolean;
  broken: boolean;
  up: number;
  down: number;
}

/** A client of a document on a link that delays and breaks. What is on its way then is lost. */
export class SimulatedClient<S, Op> {
  readonly name: string;
  /** The codes with which the server has closed its links. */
  readonly closes: number[] = [];
  readonly answers: Map<number, WireAnswer> = new Map();
  replica: Replica<S, Op>;
  readonly #spec: ReplicaSpec<S, Op>;
  readonly #clock: VirtualClock;
  readonly #faults: LinkFaults;
  #link: Link | undefined;
  #cancelFlush = (): void => {};
  #pace: Pace = new Pace(rateOf(), 0);
  #parts = "";

  constructor(spec: ReplicaSpec<S, Op>, clock: VirtualClock, name: string, faults: LinkFaults) {
    this.#spec = spec;
    this.#clock = clock;
    this.#faults = faults;
    this.name = name;
    this.replica = newReplica(spec);
  }

  /** What the user sees. */
  get view(): S {
    return fresh(this.#spec, this.replica).view;
  }

  /** Whether there is a link. */
  get connected(): boolean {
    return this.#link !== undefined;
  }

  /** Connects to a node. */
  connect(document: DocumentClient<never, never>): void {
    const link = { joined: false, broken: false, up: 0, down: 0 } as Link;
    link.connection = new DocumentConnection({
      clock: this.#clock,
      document: document as never,
      vsn: this.#spec.vsn,
      actor: this.name,
      readOnly: false,
      active: () => {},
      nameOf: (client) => client,
      buffered: () => 0,
      send: (text) => this.#over(link, "down", () => this.#received(text)),
      close: (code) => {
        this.closes.push(code);
        this.#break(link);
      },
    });
    this.#link = link;
    const { epoch, seq } = this.replica;
    const since = epoch === undefined ? {} : { since: { epoch, seq } };
    this.#send({ t: "join", v: documentProtocol, client: this.name.padEnd(16, "_"), ...since });
  }

  /** Breaks the link. */
  break(): void {
    if (this.#link !== undefined) this.#break(this.#link);
  }

  #break(link: Link): void {
    if (link.broken) return;
    link.broken = true;
    if (link === this.#link) {
      this.#link = undefined;
      this.#parts = "";
    }
    this.#clock.timer(this.#faults.delayMs() * 3, () => link.connection.closed());
  }

  /** Does an operation. */
  mutate(op: Op): void {
    this.replica = did(this.#spec, this.replica, { kind: "op", op });
    this.#flush();
  }

  #flush(): void {
    const link = this.#link;
    if (link === undefined || !link.joined) return;
    const now = this.#clock.monotonic();
    const unanswered = this.replica.pending.filter(({ sent }) => sent).length;
    const [replica, pending] = toSend(this.replica, this.#pace.operations(unanswered, now));
    this.replica = replica;
    this.#pace.sent(pending.length, now);
    for (const { seq, op } of pending) this.#send({ t: "op", seq, op });
    if (replica.pending.every(({ sent }) => sent)) return;
    const waitMs = this.#pace.waitMs(unanswered + pending.length, now);
    this.#cancelFlush();
    if (waitMs !== undefined) this.#cancelFlush = this.#clock.timer(waitMs, () => this.#flush());
  }

  #send(frame: object): void {
    const link = this.#link;
    if (link === undefined) return;
    const text = JSON.stringify(frame);
    this.#over(link, "up", () => link.connection.received(text));
  }

  /** In order, each way, as a socket has it. */
  #over(link: Link, way: "up" | "down", arrive: () => void): void {
    if (link.broken) return;
    if (this.#faults.breaks()) return this.#break(link);
    const now = this.#clock.monotonic();
    const at = Math.max(link[way], now + this.#faults.delayMs());
    link[way] = at;
    this.#clock.timer(at - now, () => {
      if (!link.broken) arrive();
    });
  }

  #received(text: string): void {
    const frame: ServerFrame = JSON.parse(text);
    const spec = this.#spec;
    if (frame.t === "part") {
      this.#parts += frame.text;
      if (frame.left > 0) return;
      const whole = this.#parts;
      this.#parts = "";
      return this.#received(whole);
    }
    if (frame.t === "joined") {
      if (this.#link !== undefined) this.#link.joined = true;
      this.#pace = new Pace(rateOf(frame.rate), this.#clock.monotonic());
      this.replica = joined(spec, this.replica, frame);
      this.#flush();
    } else if (frame.t === "ops") this.replica = heard(spec, this.replica, frame.entries);
    else if (frame.t === "catch_up") {
      this.replica = caughtUp(spec, this.replica, frame.epoch, frame.catchUp);
    } else if (frame.t === "answer") {
      this.replica = answered(this.replica, frame.seq, frame.answer);
      const again = frame.answer.status === "error" && frame.answer.retry;
      if (!again) {
        this.answers.set(frame.seq, frame.answer);
        this.#flush();
      } else this.#clock.timer(500, () => this.#flush());
    }
  }
}
