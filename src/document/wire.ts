import { isJsonObject, type JsonObject, type JsonValue, parseJson } from "../core/json.ts";
import type { DocumentFrame, Present } from "./frame.ts";
import type { CatchUp, MutateAnswer } from "./model.ts";
import { inParts, maxWhole, part, partsOf } from "./parts.ts";

/** Version of what travels between a client of a document and its server. */
export const documentProtocol = 1;

/** What a client sends: one JSON object per text frame. */
export type ClientFrame =
  /** Subscribes; the first frame. */
  | {
    readonly t: "join";
    readonly v: number;
    /** Names the client, 16 to 64 of `A-Z a-z 0-9 _ -`; kept over reconnects. */
    readonly client: string;
    /** Version of the document that the client knows. @default {the server's} */
    readonly vsn?: number;
    /** Where it was before. */
    readonly since?: { readonly epoch: string; readonly seq: number };
  }
  /** Does something; `seq` is the client's own number for it. */
  | { readonly t: "op"; readonly seq: number; readonly op: JsonValue }
  | { readonly t: "undo" | "redo"; readonly seq: number }
  /** Says where the user is. */
  | { readonly t: "here"; readonly data: JsonValue }
  /** Heartbeat. */
  | { readonly t: "ping"; readonly n: number };

/** What became of what a client did, or why it cannot be told. */
export type WireAnswer =
  | MutateAnswer<JsonValue>
  | { readonly status: "error"; readonly code: string; readonly retry: boolean };

/** What a server sends. */
export type ServerFrame =
  /** Answers `join`. */
  | {
    readonly t: "joined";
    /** The client's name as others see it, in entries and presence. */
    readonly you: string;
    readonly epoch: string;
    readonly presence: Readonly<Record<string, Present>>;
    readonly catchUp: CatchUp;
    /** The highest number of this client that was accepted before. */
    readonly acked: number;
    /** Milliseconds between heartbeats. */
    readonly heartbeatMs: number;
    /** Frames that the server takes: more end the connection. `null` for any number. */
    readonly rate?: { readonly perSecond: number | null; readonly burst: number | null };
  }
  /** Answers what the client did as `seq`. */
  | { readonly t: "answer"; readonly seq: number; readonly answer: WireAnswer }
  /** A part of a frame that is too long for one: the text of all parts together is the frame. */
  | { readonly t: "part"; readonly left: number; readonly text: string }
  | { readonly t: "pong"; readonly n: number }
  | DocumentFrame;

/** Reads a frame of a client; a text says what is wrong with it. */
export function readClientFrame(text: string, maxBytes: number): ClientFrame | string {
  const parsed = parseJson(text, { maxBytes, maxDepth: 64, maxNodes: 100_000 });
  if (!parsed.ok) return `it ${parsed.problems[0]?.reason ?? "is not JSON"}`;
  const frame = parsed.value;
  if (!isJsonObject(frame)) return "it is not an object";
  const { t, seq, op, data, n } = frame;
  switch (t) {
    case "join":
      return readJoin(frame);
    case "op":
      if (!isSeq(seq)) return '"seq" is not a whole number';
      return op === undefined ? '"op" is missing' : { t, seq, op };
    case "undo":
    case "redo":
      return isSeq(seq) ? { t, seq } : '"seq" is not a whole number';
    case "here":
      return data === undefined ? '"data" is missing' : { t, data };
    case "ping":
      return typeof n === "number" ? { t, n } : '"n" is not a number';
    default:
      return '"t" is none of join, op, undo, redo, here and ping';
  }
}

function readJoin({ v, vsn, client, since }: JsonObject): ClientFrame | string {
  const t = "join";
  if (typeof v !== "number") return '"v" is not a number';
  if (vsn !== undefined && !isSeq(vsn)) return '"vsn" is not a whole number';
  if (typeof client !== "string" || !/^[A-Za-z0-9_-]{16,64}$/.test(client)) {
    return '"client" is not 16 to 64 of A-Z a-z 0-9 _ -';
  }
  const head = { t, v, client, ...(vsn === undefined ? {} : { vsn }) } as const;
  if (since === undefined) return head;
  if (!isJsonObject(since)) return '"since" is not an object';
  const { epoch, seq: at } = since;
  if (typeof epoch !== "string" || !isSeq(at)) return '"since" has no epoch or no seq';
  return { ...head, since: { epoch, seq: at } };
}

function isSeq(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** Frames with the state in them, kept as long as the state: of many who join at once each needs them. */
const frames = new WeakMap<object, readonly string[]>();

/**
 * A frame that may carry a whole state. A state does not change, and neither do the parts it goes out
 * in: they are made once for all, with what differs before and after them.
 */
export function encodeCatchUp(head: object, catchUp: CatchUp): readonly string[] {
  if (catchUp.kind !== "snapshot") return inParts(JSON.stringify({ ...head, catchUp }));
  const { seq, state } = catchUp;
  const before = `${
    JSON.stringify(head).slice(0, -1)
  },"catchUp":{"kind":"snapshot","seq":${seq},"state":`;
  const known = typeof state === "object" && state !== null ? frames.get(state) : undefined;
  if (known !== undefined) return [part(known.length, before), ...known];
  const text = JSON.stringify(state);
  if (before.length + text.length + 2 <= maxWhole || typeof state !== "object" || state === null) {
    return inParts(`${before}${text}}}`);
  }
  const made = partsOf(`${text}}}`);
  frames.set(state, made);
  return [part(made.length, before), ...made];
}
