import type { JsonValue } from "../core/json.ts";
import type { CatchUp, LogEntry } from "./model.ts";
import { inParts } from "./parts.ts";

/** Somebody who is here. */
export interface Present {
  readonly actor: string | null;
  readonly color: string;
  /** What they said of themselves: a cursor, a selection. */
  readonly data: JsonValue;
}

/** What a subscriber is told. */
export type DocumentFrame =
  /** Operations that are durable, in order, without a gap. */
  | { readonly t: "ops"; readonly entries: readonly LogEntry[] }
  /** Who came, changed and went. */
  | {
    readonly t: "presence";
    readonly set: Readonly<Record<string, Present>>;
    readonly gone: readonly string[];
  }
  /** It was too far behind for operations. */
  | { readonly t: "catch_up"; readonly epoch: string; readonly catchUp: CatchUp }
  /** The document is over, or this node cannot go on with it. */
  | { readonly t: "end"; readonly code: string; readonly retry: boolean };

/** A frame, and its text made once for all who need it. */
export class Outgoing {
  readonly frame: DocumentFrame;
  #text: string | undefined;
  #parts: readonly string[] | undefined;

  constructor(frame: DocumentFrame) {
    this.frame = frame;
  }

  /** As JSON. */
  get text(): string {
    return this.#text ??= JSON.stringify(this.frame);
  }

  /** The same as a socket sends it: in parts if it is too long for one. */
  get parts(): readonly string[] {
    return this.#parts ??= inParts(this.text);
  }
}
