import type { Awareness } from "y-protocols/awareness";
import type { Doc } from "yjs";
import type { DocumentOptions, DocumentStatus } from "../../src/client/document/options.ts";

/** Options of `connectYjs()`. */
export interface YjsConnectOptions
  extends Pick<DocumentOptions<unknown, unknown>, "url" | "keep" | "timing" | "open"> {
  /** The document; what is in it already is sent. */
  readonly doc: Doc;
  /** Who is where, for bindings of editors; told to everybody. @default {one for the document} */
  readonly awareness?: Awareness;
}

/** How a document of Yjs is connected; another object after every change. */
export interface YjsSnapshot {
  readonly status: DocumentStatus;
  /** Why it is stopped: the reason the server gave. */
  readonly reason: string | undefined;
  /** Everything that the server had at the time of the last join is in the document. */
  readonly synced: boolean;
  /** Something was changed here that is not durable on the server yet. */
  readonly unsaved: boolean;
  /**
   * Why the server does not take what was changed here: it is too large, or not allowed. Nothing more
   * is sent: what is changed from then on builds on what was refused.
   */
  readonly refused: string | undefined;
  /** Number of the last change that is certain. */
  readonly seq: number;
}

/** A document of Yjs that is connected. */
export interface ConnectedYjs {
  /** The document. */
  readonly doc: Doc;
  /** Who is where. */
  readonly awareness: Awareness;
  /** How it is connected; the same object until something changes. */
  readonly getSnapshot: () => YjsSnapshot;
  /** Calls back after every change of the snapshot. @returns A function that ends it. */
  readonly subscribe: (listener: () => void) => () => void;
  /** Connects now, whatever the waits say. */
  reconnect(): void;
  /** Ends the connection and the listeners; the document stays as it is. */
  close(): void;
}
