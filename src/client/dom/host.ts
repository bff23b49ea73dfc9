import type { JsonValue } from "../../core/json.ts";
import type {
  ClientFrame,
  ErrorFrame,
  EventType,
  JoinedFrame,
  NavFrame,
  RecoveryStatus,
} from "../../live/protocol.ts";
import type { ConnectOptions } from "../options.ts";
import type { JoinFacts, ViewInput, ViewState } from "../view.ts";
import type { Timing } from "../timing.ts";
import type { Controls } from "./controls.ts";
import type { Morph } from "./morph.ts";
import type { Hooks } from "./hooks.ts";
import type { Timers } from "./timers.ts";

/** A view on the page. */
export interface LiveView {
  readonly root: Element;
  readonly hooks: Hooks;
  readonly timers: Timers;
  readonly state: ViewState;
  /** The state its root shows. */
  shown: string;
  step(input: ViewInput): void;
  event(out: Outgoing): void;
  /** The server has been told what the forms hold. */
  recovered(forms: readonly string[], status: RecoveryStatus): void;
}

/** What the views of a page share. */
export interface Host {
  readonly options: ConnectOptions;
  readonly timing: Timing;
  readonly controls: Controls;
  readonly morph: Morph;
  /** Elements that have been scrolled. */
  readonly scrolled: Set<Element>;
  chance(): number;
  nextRef(): number;
  send(frame: ClientFrame): void;
  facts(): JoinFacts;
  warn(text: string): void;
  /** Tells whether something done now can wait for a connection that is about to be there. */
  holds(): boolean;
  /** A view was joined. */
  joined(view: LiveView, frame: JoinedFrame): void;
  /** Something about a view changed that its root shows. */
  changed(view: LiveView): void;
  navigate(view: LiveView, nav: NavFrame): void;
  redirect(to: string): void;
  failed(view: LiveView, error: ErrorFrame): void;
  refetch(): void;
  reload(): void;
}

/** Something for a view to hear of. */
export interface Outgoing {
  readonly type: EventType;
  readonly name: string;
  /** Where it happened. */
  readonly el: Element;
  readonly value?: JsonValue | undefined;
  readonly form?: HTMLFormElement | null;
  readonly submitter?: HTMLElement | null;
  /** The control that set it off. */
  readonly target?: string | undefined;
  readonly recover?: boolean;
  readonly done?: (value: JsonValue | undefined) => void;
  readonly lost?: (error: Error) => void;
}

/** Tells the page of something; bubbles. */
export function emit(on: EventTarget, name: string, detail: unknown): boolean {
  return on.dispatchEvent(
    new CustomEvent(`live:${name}`, { bubbles: true, cancelable: true, detail }),
  );
}
