import type { JsonValue } from "../../core/json.ts";
import type { Present } from "../../document/frame.ts";
import type { WireAnswer } from "../../document/wire.ts";
import type { ReplicaSpec } from "./replica.ts";
import type { Timing } from "../timing.ts";
import type { Transport, TransportEvents } from "../dom/transport.ts";

/** Where what was not answered is kept over a reload of the page. */
export interface KeptStore {
  /** What was kept last; `null` if nothing was. */
  load(): string | null;
  /** Keeps a text; `null` for nothing. */
  save(text: string | null): void;
}

/** Options of `connectDocument()`. */
export interface DocumentOptions<S, Op> {
  /** The definition, the same as on the server. */
  readonly definition: { readonly spec: ReplicaSpec<S, Op> };
  /** Address of the socket route, absolute or relative to the page. */
  readonly url: string;
  /** Keeps what was done offline over a reload. @default {it is lost with the page} */
  readonly keep?: KeptStore;
  /** Waits, in milliseconds. */
  readonly timing?: Partial<Timing>;
  /** Opens a connection. @default {a WebSocket} */
  readonly open?: (url: string, events: TransportEvents) => Transport;
}

/** How a document in the browser is connected. */
export type DocumentStatus =
  /** Not joined yet, or not any more; it is tried again. */
  | "connecting"
  /** What is shown is what the server has, with what was done since. */
  | "connected"
  /** The network is not there. */
  | "offline"
  /** Another page has taken this client's place; `reconnect()` takes it back. */
  | "replaced"
  /** It may not be joined, was deleted, or needs another version of the page. */
  | "stopped";

/** A document as it is now; another object after every change. */
export interface DocumentSnapshot<S> {
  /** What the user sees: what is certain, with what they have done since. */
  readonly state: S;
  /** What is certain. */
  readonly confirmed: S;
  /** Number of the last operation that is certain. */
  readonly seq: number;
  readonly status: DocumentStatus;
  /** Why it is stopped: the reason the server gave. */
  readonly reason: string | undefined;
  /** Operations that are not certain yet. */
  readonly pending: number;
  /** Everybody who is here, this client included; nobody while there is no connection. */
  readonly presence: Readonly<Record<string, Present>>;
  /** This client's name in `presence`; `undefined` before it has joined. */
  readonly you: string | undefined;
}

/** A document in the browser, shaped as a store for React, Svelte, Vue and Solid. */
export interface ConnectedDocument<S, Op> {
  /** What there is now; the same object until something changes. */
  readonly getSnapshot: () => DocumentSnapshot<S>;
  /** Calls back after every change. @returns A function that ends it. */
  readonly subscribe: (listener: () => void) => () => void;
  /**
   * Does an operation: it shows at once.
   *
   * @returns What became of it, once the server has said so; offline, that can be long.
   */
  mutate(op: Op): Promise<WireAnswer>;
  /** Takes back this user's last step that still can be. */
  undo(): Promise<WireAnswer>;
  /** Takes back this user's last undo. */
  redo(): Promise<WireAnswer>;
  /** Says where the user is, to everybody who is here. JSON of at most 4 KiB. */
  here(data: JsonValue): void;
  /** Connects now, whatever the waits say. */
  reconnect(): void;
  /** Ends the connection and the listeners; what is not answered rejects. */
  close(): void;
}
