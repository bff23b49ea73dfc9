/**
 * What clients say to each server, without the libraries of clients: of all that a driver does it costs
 * the least, and the same for each. A change is told by a marker in it, `#000000042#`.
 */
import { Doc, encodeStateVector } from "yjs";
import { node } from "./served.ts";

/** A frame as it is sent. */
export type Frame = string | Uint8Array<ArrayBuffer>;

/** One client's side of a protocol. */
export interface Wire {
  /** What is said first. */
  hello(document: string): readonly Frame[];
  /** Takes in a frame; binary ones come as one character per byte. Tells whether it has joined by it. */
  heard(frame: string): boolean;
  /** A change of a node of the document. */
  write(marker: string, n: number): Frame;
  /** Goes on from here on another connection. */
  again(): Wire;
}

/** Nodes that are written to, one after the other. */
const written = 10;

class Holdfast implements Wire {
  readonly #client: string;
  readonly #since: { epoch: string; seq: number } | undefined;
  #epoch = "";
  #seq = 0;
  #next = 0;

  constructor(client: string = crypto.randomUUID(), since?: { epoch: string; seq: number }) {
    this.#client = client;
    this.#since = since;
  }

  hello(): readonly Frame[] {
    const since = this.#since === undefined ? {} : { since: this.#since };
    return [JSON.stringify({ t: "join", v: 1, client: this.#client, ...since })];
  }

  heard(frame: string): boolean {
    if (frame.startsWith('{"t":"ops"')) {
      this.#seq = Number(/.*"seq":(\d+),"at"/.exec(frame)?.[1] ?? this.#seq);
      return false;
    }
    if (frame.startsWith('{"t":"joined"')) {
      this.#epoch = /"epoch":"([^"]+)"/.exec(frame)?.[1] ?? "";
      this.#seq = Number(/"seq":(\d+)/.exec(frame)?.[1] ?? this.#seq);
      return true;
    }
    if (!frame.startsWith('{"t":"part"')) return false;
    const [, left, text = ""] = /^\{"t":"part","left":(\d+),"text":"(.{0,400})/.exec(frame) ?? [];
    const epoch = /\\"epoch\\":\\"([^"\\]+)/.exec(text)?.[1];
    if (epoch !== undefined) this.#epoch = epoch;
    return left === "0";
  }

  write(marker: string, n: number): Frame {
    const op = { op: "update", id: node(n % written), set: { note: marker } };
    return JSON.stringify({ t: "op", seq: ++this.#next, op });
  }

  again(): Wire {
    return new Holdfast(this.#client, { epoch: this.#epoch, seq: this.#seq });
  }
}

class ShareDb implements Wire {
  #document = "";
  readonly #since: number | undefined;
  #version = 0;
  #next = 0;

  constructor(since?: number) {
    this.#since = since;
  }

  hello(document: string): readonly Frame[] {
    this.#document = document;
    const since = this.#since === undefined ? {} : { v: this.#since };
    return [
      JSON.stringify({ a: "hs", id: null, protocol: 1, protocolMinor: 1 }),
      JSON.stringify({ a: "s", c: "bench", d: document, ...since }),
    ];
  }

  heard(frame: string): boolean {
    const joined = frame.startsWith('{"data":{"v"') || frame.startsWith('{"a":"s"') ||
      /"a":"s"/.test(frame.slice(-80));
    const version = /"v":(\d+)/.exec(frame)?.[1];
    if (version !== undefined) {
      this.#version = Math.max(this.#version, Number(version) + (joined ? 0 : 1));
    }
    return joined;
  }

  write(marker: string, n: number): Frame {
    return JSON.stringify({
      a: "op",
      c: "bench",
      d: this.#document,
      v: this.#version,
      seq: ++this.#next,
      x: {},
      op: [{ p: [node(n % written)], oi: marker }],
    });
  }

  again(): Wire {
    return new ShareDb(this.#version);
  }
}

class Tldraw implements Wire {
  readonly #since: number;
  #clock = -1;
  #next = 0;

  constructor(since = -1) {
    this.#since = since;
  }

  hello(): readonly Frame[] {
    return [JSON.stringify({
      type: "connect",
      connectRequestId: "1",
      lastServerClock: this.#since,
      protocolVersion: 8,
      schema: { schemaVersion: 2, sequences: { "com.tldraw.store": 4, "com.tldraw.note": 0 } },
    })];
  }

  heard(frame: string): boolean {
    const clock = /.*"serverClock":(\d+)/.exec(frame.slice(-200))?.[1];
    if (clock !== undefined) this.#clock = Number(clock);
    return frame.includes('"type":"connect"');
  }

  write(marker: string, n: number): Frame {
    const diff = { [`note:${node(n % written)}`]: ["patch", { text: ["put", marker] }] };
    return JSON.stringify({ type: "push", clientClock: ++this.#next, diff });
  }

  again(): Wire {
    return new Tldraw(this.#clock);
  }
}

/** The messages of Hocuspocus 4: a name, a kind, and for a change the sync protocol of Yjs. */
class Hocuspocus implements Wire {
  #document = "";
  readonly #doc = new Doc();
  readonly #vector: Uint8Array;
  #theirs: Uint8Array | undefined;

  constructor(vector: Uint8Array = encodeStateVector(new Doc())) {
    this.#vector = vector;
  }

  hello(document: string): readonly Frame[] {
    this.#document = document;
    return [
      this.#message([2, 0, 0]),
      this.#message([0, 0, ...size(this.#vector.length), ...this.#vector]),
    ];
  }

  heard(frame: string): boolean {
    const kind = frame.charCodeAt(1 + this.#document.length);
    const step = frame.charCodeAt(2 + this.#document.length);
    // What the server has; it asks for what it lacks by it.
    if (kind === 0 && step === 0) {
      const bytes = Uint8Array.from(frame.slice(3 + this.#document.length), (c) => c.charCodeAt(0));
      this.#theirs = bytes.slice(lengthOf(bytes));
    }
    return (kind === 0 || kind === 4) && step === 1;
  }

  write(marker: string, n: number): Frame {
    let update = new Uint8Array();
    const hear = (made: Uint8Array) => update = made as Uint8Array<ArrayBuffer>;
    this.#doc.on("update", hear);
    // Of its own: of two clients' values of one name Yjs tells only the one that stays.
    this.#doc.getMap("nodes").set(`${this.#doc.clientID}.${n % written}`, marker);
    this.#doc.off("update", hear);
    return this.#message([0, 2, ...size(update.length), ...update]);
  }

  again(): Wire {
    return new Hocuspocus(this.#theirs);
  }

  #message(rest: readonly number[]): Uint8Array<ArrayBuffer> {
    const name = new TextEncoder().encode(this.#document);
    return Uint8Array.from([...size(name.length), ...name, ...rest]);
  }
}

/** A length as lib0 writes it. */
function size(length: number): number[] {
  return length < 128 ? [length] : [128 | length & 127, ...size(length >>> 7)];
}

/** How many bytes a length takes. */
function lengthOf(bytes: Uint8Array): number {
  return bytes.findIndex((byte) => byte < 128) + 1;
}

/** How a subject is spoken to. */
export interface Protocol {
  wire(): Wire;
  /** Changes of all writers together that nobody has heard of yet. */
  readonly pipelined: number;
}

/** The protocols by subject. */
export const protocols: Readonly<Record<string, Protocol>> = {
  holdfast: { wire: () => new Holdfast(), pipelined: 500 },
  floor: { wire: () => new Holdfast(), pipelined: 500 },
  hocuspocus: { wire: () => new Hocuspocus(), pipelined: 500 },
  // Each change is transformed against all that came since what it was made on: a client of ShareDB
  // has no more than one on its way.
  sharedb: { wire: () => new ShareDb(), pipelined: 10 },
  tldraw: { wire: () => new Tldraw(), pipelined: 500 },
};
