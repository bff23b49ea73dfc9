import type { JsonObject } from "../core/json.ts";
import {
  type Change,
  type ClientFrame,
  type Effect,
  type ErrorFrame,
  type JoinedFrame,
  type NavFrame,
  type Navigation,
  protocolVersion,
  type ReplyFrame,
  type ServerFrame,
  type StashFrame,
} from "../live/protocol.ts";
import { rejoinDelay } from "./backoff.ts";
import { applySplices } from "./splice.ts";
import type { Timing } from "./timing.ts";

/** A view as the page knows it. */
export interface ViewState {
  /** The id of its root element. */
  readonly id: string;
  readonly token: string;
  /**
   * `out`: not connected; `joining`; `recovering`: joined, the forms are being told to the server
   * and the page is as it was; `live`; `resting`: crashed, will be joined again; `failed`.
   */
  readonly phase: "out" | "joining" | "recovering" | "live" | "resting" | "failed";
  /** How often this page instance has joined. */
  readonly mounts: number;
  /** Tries since the last success. */
  readonly attempts: number;
  readonly nav: Navigation;
  /** `ref` of the last join. */
  readonly joinRef: number;
  /** The HTML as the server has it, and its version. */
  readonly html?: string | undefined;
  readonly rev: number;
  /** The whole HTML has been asked for. */
  readonly asked: boolean;
  /** Title and effects that wait for the page to be rendered. */
  readonly title?: string | undefined;
  readonly fx: readonly Effect[];
  /** Crashes and failed mounts in a row. */
  readonly troubles: number;
}

/** What a join tells beside the view's own state. */
export interface JoinFacts {
  readonly ref: number;
  readonly url: string;
  readonly params?: JsonObject;
  readonly assets: readonly string[];
}

/** What happens to a view. */
export type ViewInput =
  | { readonly on: "up"; readonly facts: JoinFacts }
  | { readonly on: "down" | "late" | "stable" }
  /** A frame for this view. */
  | { readonly on: "frame"; readonly frame: ServerFrame; readonly chance: number }
  /** The forms have been told, or there are none. */
  | { readonly on: "recovered" }
  /** A new page instance: a new token, joined from the beginning. */
  | { readonly on: "token"; readonly token: string };

/** What is to be done. */
export type ViewAction =
  | { readonly do: "send"; readonly frame: ClientFrame }
  /** The join was answered: tell the server what the forms hold, then say `recovered`. */
  | { readonly do: "recover"; readonly joined: JoinedFrame }
  /** Bring the page to what the server says; without `html` that is what it shows already. */
  | {
    readonly do: "show";
    readonly html: string | undefined;
    readonly title: string | undefined;
    readonly fx: readonly Effect[];
  }
  /** An event was answered; before the page shows what it changed. */
  | { readonly do: "settle"; readonly reply: ReplyFrame }
  /** Join after this, or wait for the answer to a join. */
  | { readonly do: "wait"; readonly timer: "rejoin" | "join"; readonly ms: number }
  | { readonly do: "forget" }
  /** Tell scripts. */
  | {
    readonly do: "tell";
    readonly name: "saved" | "error";
    readonly detail: StashFrame | ErrorFrame;
  }
  | { readonly do: "nav"; readonly nav: NavFrame }
  | { readonly do: "redirect"; readonly to: string }
  | { readonly do: "refetch"; readonly error: ErrorFrame }
  | { readonly do: "reload" };

type Step = readonly [state: ViewState, actions: readonly ViewAction[]];

/** A view that has not been joined. */
export function newView(id: string, token: string, nav: Navigation, mounts = 0): ViewState {
  return {
    id,
    token,
    phase: "out",
    mounts,
    attempts: 0,
    nav,
    joinRef: 0,
    rev: 0,
    asked: false,
    fx: [],
    troubles: 0,
  };
}

function join(state: ViewState, facts: JoinFacts, timing: Timing): Step {
  const { id, token, mounts, attempts, nav } = state;
  const frame = {
    t: "join",
    v: protocolVersion,
    id,
    token,
    mounts,
    attempts,
    nav,
    ...facts,
  } as const;
  const next = {
    phase: "joining",
    joinRef: facts.ref,
    attempts: attempts + 1,
    asked: false,
  } as const;
  return [{ ...state, ...next }, [
    { do: "send", frame },
    { do: "wait", timer: "join", ms: timing.joinMs },
  ]];
}

function joined(state: ViewState, frame: JoinedFrame): Step {
  // The answer to a join that was given up.
  if (state.phase !== "joining" || frame.ref !== state.joinRef) return [state, []];
  const next: ViewState = {
    ...state,
    phase: "recovering",
    token: frame.token,
    mounts: frame.mounts + 1,
    attempts: 0,
    html: frame.html,
    rev: frame.rev,
    title: frame.title,
    fx: frame.fx ?? [],
  };
  return [next, [{ do: "forget" }, { do: "recover", joined: frame }]];
}

/** The text after a change, or `undefined` if it does not fit what we have. */
function textAfter(state: ViewState, change: Change): string | undefined {
  if (change.html !== undefined) return change.html;
  if (change.splice === undefined) return state.html;
  if (state.html === undefined || change.base !== state.rev) return undefined;
  return applySplices(state.html, change.splice);
}

/** Takes a change in; shows it unless the page waits for its forms to be recovered. */
function change(state: ViewState, frame: Change): Step {
  if (state.phase !== "live" && state.phase !== "recovering") return [state, []];
  const html = textAfter(state, frame);
  const fx = [...state.fx, ...(frame.fx ?? [])];
  const title = frame.title ?? state.title;
  if (html === undefined) {
    const ask: ViewAction = { do: "send", frame: { t: "full", id: state.id } };
    return [{ ...state, fx, title, asked: true }, state.asked ? [] : [ask]];
  }
  const shown = html === state.html;
  const next = { ...state, html, rev: frame.rev ?? state.rev, asked: false, fx, title };
  return state.phase === "live" ? show(next, shown) : [next, []];
}

/** Brings the page to what the server says. */
function show(state: ViewState, shown: boolean): Step {
  const { html, title, fx } = state;
  const action: ViewAction = { do: "show", html: shown ? undefined : html, title, fx };
  return [{ ...state, title: undefined, fx: [] }, [action]];
}

const mountTries = 4;

function failed(state: ViewState, frame: ErrorFrame, chance: number, timing: Timing): Step {
  const actions: ViewAction[] = [{ do: "forget" }, { do: "tell", name: "error", detail: frame }];
  const { code } = frame;
  if (frame.to !== undefined) return [state, [...actions, { do: "redirect", to: frame.to }]];
  if (code === "unauthorized" || code === "expired") {
    return [{ ...state, phase: "out" }, [...actions, { do: "refetch", error: frame }]];
  }
  if (code === "unknown_view" || code === "version") {
    return [{ ...state, phase: "failed" }, [...actions, { do: "reload" }]];
  }
  // The connection is about to close, and will be made anew.
  if (code === "draining") return [{ ...state, phase: "out" }, actions];
  const troubles = state.troubles + 1;
  if (!frame.retry || (code === "mount_failed" && troubles >= mountTries)) {
    return [{ ...state, phase: "failed", troubles }, actions];
  }
  const ms = rejoinDelay(timing, troubles, chance);
  return [{ ...state, phase: "resting", troubles }, [
    ...actions,
    { do: "wait", timer: "rejoin", ms },
  ]];
}

function received(state: ViewState, frame: ServerFrame, chance: number, timing: Timing): Step {
  switch (frame.t) {
    case "joined":
      return joined(state, frame);
    case "patch":
      return change(state, frame);
    case "reply": {
      const [next, actions] = change(state, frame);
      return [next, [{ do: "settle", reply: frame }, ...actions]];
    }
    case "stash":
      return [state, [{ do: "tell", name: "saved", detail: frame }]];
    case "nav":
      return [state, [{ do: "nav", nav: frame }]];
    case "error":
      return failed(state, frame, chance, timing);
    default:
      return [state, []];
  }
}

/**
 * What a view does next: joins, takes in frames, shows what changed, and after a crash or a
 * failed mount tries again, at growing intervals.
 */
export function viewStep(state: ViewState, input: ViewInput, timing: Timing): Step {
  switch (input.on) {
    case "up":
      return join(state, input.facts, timing);
    case "down":
      return [{ ...state, phase: "out" }, [{ do: "forget" }]];
    case "frame":
      return received(state, input.frame, input.chance, timing);
    case "recovered":
      return state.phase === "recovering" ? show({ ...state, phase: "live" }, false) : [state, []];
    case "stable":
      return [{ ...state, troubles: 0 }, []];
    case "token":
      return [{ ...newView(state.id, input.token, "navigate"), joinRef: state.joinRef }, []];
    default:
      return late(state, timing);
  }
}

/** No answer to a join: the view is tried again, as after a crash. */
function late(state: ViewState, timing: Timing): Step {
  if (state.phase !== "joining") return [state, []];
  const troubles = state.troubles + 1;
  const ms = rejoinDelay(timing, troubles, 0.5);
  return [{ ...state, phase: "resting", troubles }, [{ do: "wait", timer: "rejoin", ms }]];
}

/** What a root shows in `data-live-state`. */
export type ShownState =
  | "connecting"
  | "connected"
  | "reconnecting"
  | "draining"
  | "offline"
  | "failed";

/** What a view's root shows, from how it and its connection are. */
export function shownState(
  view: Pick<ViewState, "phase" | "mounts">,
  connection: { readonly phase: string; readonly online: boolean; readonly draining: boolean },
): ShownState {
  if (view.phase === "failed" || connection.phase === "stopped") return "failed";
  if (connection.draining) return "draining";
  if (view.phase === "live" || view.phase === "recovering") return "connected";
  if (!connection.online && connection.phase !== "open") return "offline";
  return view.mounts > 0 ? "reconnecting" : "connecting";
}
