import { retryDelay } from "./backoff.ts";
import { afterClose } from "./closing.ts";
import type { Timing } from "./timing.ts";

/** How frames travel: by a socket, or by server-sent events and requests. */
export type TransportKind = "socket" | "stream";

/** How a page is connected: one connection carries all its views. */
export interface ConnectionState {
  readonly phase: "idle" | "waiting" | "opening" | "open" | "fetching" | "stopped";
  /** Why it is stopped. */
  readonly why?: "replaced" | "failed" | "left" | undefined;
  readonly kind: TransportKind;
  /** A socket has opened on this page: they are not blocked here. */
  readonly socketWorks: boolean;
  /** Transports in a row that never opened. */
  readonly unopened: number;
  /** Tries since the connection was last stable. */
  readonly failed: number;
  /** Tokens fetched since a view was last joined. */
  readonly fetched: number;
  /** The page is seen. */
  readonly visible: boolean;
  /** There is a network. */
  readonly online: boolean;
  /** The server has said that it goes; milliseconds to spread the reconnects over. */
  readonly drainMs?: number | undefined;
  /** Milliseconds between heartbeats; 0 before the server has said so. */
  readonly heartbeatMs: number;
  /** The number of the last heartbeat. */
  readonly beat: number;
}

/** What a connection waits for. */
export type ConnectionTimer = "retry" | "connect" | "beat" | "pong" | "stable";

/** What happens to a connection. */
export type ConnectionInput =
  | {
    /** `suspend`: the page goes away; `interacted`: the user did something here. */
    readonly on: "start" | "opened" | "stop" | "suspend" | "interacted" | "reconnect";
  }
  /** The page is seen or not, the network there or gone; also when the page gets the focus. */
  | { readonly on: "world"; readonly visible: boolean; readonly online: boolean }
  | { readonly on: "closed"; readonly code: number; readonly chance: number }
  | { readonly on: "timer"; readonly timer: ConnectionTimer; readonly chance: number }
  | { readonly on: "joined"; readonly heartbeatMs: number }
  | { readonly on: "drain"; readonly spreadMs: number }
  | { readonly on: "pong"; readonly n: number }
  /** New tokens are there, or could not be had. */
  | { readonly on: "fetched"; readonly ok: boolean };

/** What is to be done. */
export type ConnectionAction =
  | { readonly do: "open"; readonly kind: TransportKind }
  | { readonly do: "close"; readonly code: number }
  | { readonly do: "wait"; readonly timer: ConnectionTimer; readonly ms: number }
  /** Forget a timer, or all. */
  | { readonly do: "forget"; readonly timer?: ConnectionTimer }
  | { readonly do: "ping"; readonly n: number }
  /** Join the views; or they are cut off; get new tokens for them; load the page again. */
  | { readonly do: "up" | "down" | "refetch" | "reload" }
  /** Tell scripts: of an attempt to come, or that it is stopped. */
  | {
    readonly do: "tell";
    readonly name: "reconnecting" | "error";
    readonly detail:
      | { readonly attempt: number; readonly delayMs: number }
      | { readonly code: "replaced" | "failed" };
  };

type Step = readonly [state: ConnectionState, actions: readonly ConnectionAction[]];

/** A connection nobody has started. */
export function newConnection(
  kind: TransportKind,
  visible: boolean,
  online: boolean,
): ConnectionState {
  return {
    phase: "idle",
    kind,
    socketWorks: false,
    unopened: 0,
    failed: 0,
    fetched: 0,
    visible,
    online,
    heartbeatMs: 0,
    beat: 0,
  };
}

/** Opens a transport, if the page is seen and the network there; else rests until then. */
function open(state: ConnectionState, timing: Timing): Step {
  if (!state.visible || !state.online) return [{ ...state, phase: "idle" }, [{ do: "forget" }]];
  return [{ ...state, phase: "opening", why: undefined }, [
    { do: "forget" },
    { do: "open", kind: state.kind },
    { do: "wait", timer: "connect", ms: timing.connectMs },
  ]];
}

/** Which transport to try next: a stream after two sockets, where no socket ever opened. */
function kindAfter({ kind, socketWorks }: ConnectionState, unopened: number): TransportKind {
  if (unopened === 0 || unopened % 2 > 0) return kind;
  return kind === "socket" && !socketWorks ? "stream" : "socket";
}

function wait(state: ConnectionState, leastMs: number, chance: number, timing: Timing): Step {
  const { failed, drainMs } = state;
  const next: ConnectionState = { ...state, failed: failed + 1, drainMs: undefined };
  if (!state.visible || !state.online) return [{ ...next, phase: "idle" }, []];
  const delayMs = Math.max(
    leastMs * (1 + chance / 2),
    drainMs === undefined ? retryDelay(timing, failed, chance) : chance * drainMs,
  );
  return [{ ...next, phase: "waiting" }, [
    { do: "wait", timer: "retry", ms: delayMs },
    { do: "tell", name: "reconnecting", detail: { attempt: failed + 1, delayMs } },
  ]];
}

/** The least wait after a server that is busy. */
const laterMs = 5000;

/** `closeCode.noHeartbeat`. */
const noHeartbeat = 4000;

function stop(state: ConnectionState, code: "replaced" | "failed"): Step {
  return [{ ...state, phase: "stopped", why: code }, [{
    do: "tell",
    name: "error",
    detail: { code },
  }]];
}

function closed(before: ConnectionState, code: number, chance: number, timing: Timing): Step {
  const wasOpen = before.phase === "open";
  const unopened = before.phase === "opening" ? before.unopened + 1 : 0;
  const state: ConnectionState = { ...before, unopened, kind: kindAfter(before, unopened) };
  const [next, actions] = after(state, code, chance, timing);
  return [next, [{ do: "forget" }, ...(wasOpen ? [{ do: "down" } as const] : []), ...actions]];
}

function after(state: ConnectionState, code: number, chance: number, timing: Timing): Step {
  const { fetched } = state;
  const next = afterClose(code);
  if (next === "retry") return wait(state, 0, chance, timing);
  if (next === "retry-later") return wait(state, laterMs, chance, timing);
  if (next === "wait") return stop(state, "replaced");
  // What new tokens and a new page have not helped, nothing will.
  if (next === "fail" || fetched > 1) return stop(state, "failed");
  return next === "reload" || fetched > 0
    ? [{ ...state, phase: "fetching", fetched: 2 }, [{ do: "reload" }]]
    : [{ ...state, phase: "fetching", fetched: 1 }, [{ do: "refetch" }]];
}

/** Asks whether the other side is still there. */
function ping(state: ConnectionState, timing: Timing): Step {
  if (state.phase !== "open" || state.heartbeatMs === 0) return [state, []];
  const beat = state.beat + 1;
  return [{ ...state, beat }, [
    { do: "forget", timer: "beat" },
    { do: "ping", n: beat },
    { do: "wait", timer: "pong", ms: timing.pongMs },
  ]];
}

function timerFired(
  state: ConnectionState,
  timer: ConnectionTimer,
  chance: number,
  timing: Timing,
): Step {
  if (timer === "retry") return open(state, timing);
  if (timer === "beat") return ping(state, timing);
  if (timer === "stable") return [{ ...state, failed: 0 }, []];
  // Nobody waits for a dead connection to say goodbye.
  const code = noHeartbeat;
  const [next, actions] = closed(state, code, chance, timing);
  return [next, [{ do: "close", code }, ...actions]];
}

/** What the page's surroundings ask for: an attempt, a rest, or a sign of life. */
function world(state: ConnectionState, timing: Timing): Step {
  if (state.phase === "waiting") return open(state, timing);
  if (state.phase === "idle") {
    return state.visible && state.online ? open(state, timing) : [state, []];
  }
  if (state.visible) return ping(state, timing);
  return [state, [{ do: "forget", timer: "beat" }, { do: "forget", timer: "pong" }]];
}

/** The page goes away: into the cache of the browser, or for good. */
function leave(state: ConnectionState, next: Partial<ConnectionState>): Step {
  const actions: ConnectionAction[] = [{ do: "forget" }, { do: "close", code: 1000 }];
  if (state.phase === "open") actions.push({ do: "down" });
  return [{ ...state, phase: "idle", ...next }, actions];
}

/** The next heartbeat, while anybody looks. */
function beatLater(state: ConnectionState): readonly ConnectionAction[] {
  return state.visible ? [{ do: "wait", timer: "beat", ms: state.heartbeatMs }] : [];
}

/**
 * What a connection does next: reconnects with jitter, not while hidden or offline; asks for a sign
 * of life; follows the close codes.
 */
export function connectionStep(
  state: ConnectionState,
  input: ConnectionInput,
  timing: Timing,
): Step {
  const { phase } = state;
  switch (input.on) {
    case "start":
      return open(state, timing);
    case "opened": {
      const socketWorks = state.socketWorks || state.kind === "socket";
      const next = {
        ...state,
        phase: "open",
        unopened: 0,
        socketWorks,
        drainMs: undefined,
      } as const;
      return [next, [{ do: "forget", timer: "connect" }, { do: "up" }]];
    }
    case "closed":
      return closed(state, input.code, input.chance, timing);
    case "timer":
      return timerFired(state, input.timer, input.chance, timing);
    case "joined": {
      const next = { ...state, heartbeatMs: input.heartbeatMs, fetched: 0 };
      return [next, [{ do: "wait", timer: "stable", ms: timing.stableMs }, ...beatLater(next)]];
    }
    case "pong":
      return [
        state,
        phase === "open" && input.n === state.beat
          ? [{ do: "forget", timer: "pong" }, ...beatLater(state)]
          : [],
      ];
    case "drain":
      return [{ ...state, drainMs: input.spreadMs }, []];
    case "world":
      return world({ ...state, visible: input.visible, online: input.online }, timing);
    case "interacted":
      return state.why === "replaced" ? open({ ...state, failed: 0 }, timing) : [state, []];
    case "reconnect":
      if (phase === "open" || phase === "opening") return [state, []];
      return open({ ...state, failed: 0, fetched: 0 }, timing);
    case "suspend":
      return leave(state, {});
    case "stop":
      return leave(state, { phase: "stopped", why: "left" });
    case "fetched":
      return input.ok ? open(state, timing) : stop(state, "failed");
  }
}
