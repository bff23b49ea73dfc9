import type { JsonValue } from "../../core/json.ts";
import type {
  ClientFrame,
  Effect,
  ErrorFrame,
  EventType,
  JoinedFrame,
  NavFrame,
  RecoveryStatus,
} from "../../live/protocol.ts";
import type { Entry } from "../entries.ts";
import type { ConnectOptions } from "../options.ts";
import type { Timing } from "../timing.ts";
import type { JoinFacts, ShownState, ViewInput, ViewState } from "../view.ts";
import type { Controls } from "./controls.ts";
import type { Morph } from "./morph.ts";
import type { Timers } from "./timers.ts";

/** The hooks of one view. */
export interface HooksPort {
  /** Mounts the hooks of elements that are new, destroys those of elements that are gone. */
  sync(): void;
  beforeUpdate(element: Element, fresh: Element): void;
  /** Tells every hook of the view. */
  all(moment: "disconnected" | "reconnected"): void;
  /** Hands what the view pushed to those who listen. */
  hear(name: string, data: JsonValue): void;
  close(): void;
}

/** What was typed in forms and controls that are not on the page at the moment. */
export interface LatePort {
  /** The server has rendered anew, without these forms perhaps; they may be there in a moment. */
  keep(forms: readonly HTMLFormElement[], fresh: readonly HTMLFormElement[]): void;
  /** An element leaves the page. */
  vanished(element: Element): void;
  /** After a patch: gives values back to controls that are there again. */
  appeared(): void;
  /** Leaves out the names of a form whose values the server had stored, and now says newer ones of. */
  unstored(
    mine: ReadonlySet<string>,
    form: HTMLFormElement,
    fresh: HTMLFormElement,
    status: RecoveryStatus,
  ): ReadonlySet<string>;
  /** Keeps nothing of a form: it was reset. */
  forget(id: string): void;
}

/** A view on the page. */
export interface LiveView {
  readonly root: Element;
  readonly hooks: HooksPort | undefined;
  readonly timers: Timers;
  readonly state: ViewState;
  /** The state its root shows. */
  shown: ShownState;
  step(input: ViewInput): void;
  event(out: Outgoing): void;
  push(name: string, value?: JsonValue): Promise<JsonValue | undefined>;
  /** The server has been told what the forms hold. */
  recovered(forms: readonly string[], status: RecoveryStatus): void;
  isSubmitting(form: HTMLFormElement): boolean;
  /** The browser may have put in what it remembers: shows again what the server says. */
  restored(): void;
  /** Events that wait for a connection. */
  readonly kept: number;
  /** Lets go of what waits for a connection and nobody asked to keep. */
  dropHeld(): void;
  /** Lets go of all that waits for a connection. */
  forget(): void;
  close(): void;
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
  /** Tells whether something done now can wait for a connection that is about to be there. */
  holds(): boolean;
  /** A view was joined. */
  joined(view: LiveView, frame: JoinedFrame): void;
  /** Something about a view changed that its root shows. */
  changed(view: LiveView): void;
  hooksFor(view: LiveView): HooksPort | undefined;
  lateFor(view: LiveView): LatePort | undefined;
  /** Carries out what the server wants done beside what it renders. */
  effects(view: LiveView, fx: readonly Effect[]): void;
  navigate(view: LiveView, nav: NavFrame): void;
  /** Told of each answer once the page shows it. */
  readonly answered: ((ref: number) => void) | undefined;
  /** A view cannot go on with its token, or with this page. */
  refetch(error: ErrorFrame): void;
  reload(): void;
}

/** Something for a view to hear of. */
export interface Outgoing {
  readonly type: EventType;
  readonly name: string;
  /** Where it happened. */
  readonly el: Element;
  readonly value?: JsonValue | undefined;
  /** `null` for a control that is in none. */
  readonly form?: HTMLFormElement | null;
  readonly submitter?: HTMLElement | null;
  /** The name of the control that set it off. */
  readonly target?: string | undefined;
  /** Sent by the recovery of a form. */
  readonly recover?: true;
  /** What to send instead of what the form holds. */
  readonly entries?: readonly Entry[];
  readonly done?: (value: JsonValue | undefined) => void;
  /** Told, by a code, that it will not be answered. */
  readonly lost?: (code?: string) => void;
}

/** Why what a hook or a script has pushed is not answered. */
export function notPushed(code?: string): Error {
  return Object.assign(new Error(`Cannot push: ${code}`), { code });
}

/** Tells the page of something; bubbles. */
export function emit(on: EventTarget, name: string, detail: unknown): boolean {
  return on.dispatchEvent(
    new CustomEvent(`live:${name}`, { bubbles: true, cancelable: true, detail }),
  );
}
