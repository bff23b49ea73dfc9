import { retryDelay } from "./backoff.ts";
import { closeCode } from "../live/protocol.ts";
import { afterClose } from "./closing.ts";
import type { Timing } from "./timing.ts";

/** How a page is connected: one connection carries all its views. */
export interface ConnectionState {
  readonly phase: "idle" | "waiting" | "opening" | "open" | "fetching" | "stopped";
  /** Why it is stopped. */
  readonly stopped?: "replaced" | "failed" | "left" | undefined;
  readonly transport: "socket" | "stream";
  /** A socket has opened on this page: they are not blocked here. */
  readonly socketWorks: boolean;
  /** Transports in a row that never opened. */
  readonly unopened: number;
  /** Tries since the connection was last stable. */
  readonly failed: number;
  /** Tokens fetched since a view was last joined. */
  readonly fetched: number;
  readonly visible: boolean;
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
  | { readonly on: "start" | "opened" | "hidden" | "offline" | "stop" | "suspend" }
  /** The page is seen, focused or back from the cache; the network is back. */
  | { readonly on: "visible" | "online" | "interacted" | "reconnect" }
  | { readonly on: "closed"; readonly code: number; readonly chance: number }
  | { readonly on: "timer"; readonly timer: ConnectionTimer; readonly chance: number }
  | { readonly on: "joined"; readonly heartbeatMs: number }
  | { readonly on: "drain"; readonly spreadMs: number }
  | { readonly on: "pong"; readonly n: number }
  /** New tokens are there, or could not be had. */
  | { readonly on: "fetched"; readonly ok: boolean };

/** What is to be done. */
export type ConnectionAction =
  | { readonly do: "open"; readonly transport: "socket" | "stream" }
  | { readonly do: "close"; readonly code: number }
  | { readonly do: "wait"; readonly timer: ConnectionTimer; readonly ms: number }
  /** Forget a timer, or all. */
  | { readonly do: "forget"; readonly timer?: ConnectionTimer }
  | { readonly do: "ping"; readonly n: number }
  /** Join the views. */
  | { readonly do: "up" }
  /** The views are cut off. */
  | { readonly do: "down" }
  | { readonly do: "retrying"; readonly attempt: number; readonly delayMs: number }
  | { readonly do: "refetch" }
  | { readonly do: "reload" }
  /** Stopped for good, or until the user does something. */
  | { readonly do: "stopped"; readonly why: "replaced" | "failed" };

type Step = readonly [state: ConnectionState, actions: readonly ConnectionAction[]];

/** A connection nobody has started. */
export function newConnection(
  { visible, online, transport }: Pick<ConnectionState, "visible" | "online" | "transport">,
): ConnectionState {
  return {
    phase: "idle",
    transport,
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
  if (!state.visible || !state.online) {
    return [{ ...state, phase: "idle" }, [{ do: "forget", timer: "retry" }]];
  }
  return [{ ...state, phase: "opening" }, [
    { do: "forget" },
    { do: "open", transport: state.transport },
    { do: "wait", timer: "connect", ms: timing.connectMs },
  ]];
}

/** Which transport to try next: a stream after two sockets, where no socket ever opened. */
function transportAfter(state: ConnectionState, unopened: number): "socket" | "stream" {
  if (unopened === 0 || unopened % 2 > 0) return state.transport;
  return state.transport === "socket" && !state.socketWorks ? "stream" : "socket";
}

function waiting(state: ConnectionState, leastMs: number, chance: number, timing: Timing): Step {
  const attempt = state.failed + 1;
  const next: ConnectionState = { ...state, failed: attempt, drainMs: undefined };
  if (!state.visible || !state.online) return [{ ...next, phase: "idle" }, []];
  const { drainMs } = state;
  const delayMs = Math.max(
    leastMs * (1 + chance / 2),
    drainMs === undefined ? retryDelay(timing, state.failed, chance) : chance * drainMs,
  );
  return [{ ...next, phase: "waiting" }, [
    { do: "wait", timer: "retry", ms: delayMs },
    { do: "retrying", attempt, delayMs },
  ]];
}

function stop(state: ConnectionState, why: "replaced" | "failed"): Step {
  return [{ ...state, phase: "stopped", stopped: why }, [{ do: "stopped", why }]];
}

function closed(before: ConnectionState, code: number, chance: number, timing: Timing): Step {
  const unopened = before.phase === "opening" ? before.unopened + 1 : 0;
  const transport = transportAfter(before, unopened);
  const state: ConnectionState = { ...before, unopened, transport };
  const ended: ConnectionAction[] = [{ do: "forget" }];
  if (before.phase === "open") ended.push({ do: "down" });
  const closing = afterClose(code);
  const [next, actions] = closing.next === "retry"
    ? waiting(state, closing.afterMs, chance, timing)
    : closing.next === "wait"
    ? stop(state, "replaced")
    : closing.next === "fail" || state.fetched > 1
    ? stop(state, "failed")
    : closing.next === "reload" || state.fetched > 0
    ? reload(state)
    : refetch(state);
  return [next, [...ended, ...actions]];
}

function refetch(state: ConnectionState): Step {
  const next: ConnectionState = { ...state, phase: "fetching", fetched: state.fetched + 1 };
  return [next, [{ do: "refetch" }]];
}

function reload(state: ConnectionState): Step {
  return [{ ...state, phase: "stopped", stopped: "failed" }, [{ do: "reload" }]];
}

/** Asks whether the other side is still there. */
function ping(state: ConnectionState, timing: Timing): Step {
  if (state.phase !== "open" || state.heartbeatMs === 0) return [state, []];
  const n = state.beat + 1;
  return [{ ...state, beat: n }, [
    { do: "forget", timer: "beat" },
    { do: "ping", n },
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
  const code = timer === "pong" ? closeCode.noHeartbeat : 1006;
  const [next, actions] = closed(state, code, chance, timing);
  return [next, [{ do: "close", code: closeCode.noHeartbeat }, ...actions]];
}

/** The page is seen again, or the network is back. */
function awake(state: ConnectionState, timing: Timing): Step {
  if (state.phase === "idle" || state.phase === "waiting") return open(state, timing);
  return ping(state, timing);
}

/** The page goes away: into the cache of the browser, or for good. */
function leave(state: ConnectionState, next: Partial<ConnectionState>): Step {
  const wasOpen = state.phase === "open";
  return [{ ...state, phase: "idle", ...next }, [
    { do: "forget" },
    { do: "close", code: 1000 },
    ...(wasOpen ? [{ do: "down" } as const] : []),
  ]];
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
  switch (input.on) {
    case "start":
      return open(state, timing);
    case "opened":
      return [
        {
          ...state,
          phase: "open",
          unopened: 0,
          socketWorks: state.socketWorks || state.transport === "socket",
          drainMs: undefined,
        },
        [{ do: "forget", timer: "connect" }, { do: "up" }],
      ];
    case "closed":
      return closed(state, input.code, input.chance, timing);
    case "timer":
      return timerFired(state, input.timer, input.chance, timing);
    case "joined":
      return [{ ...state, heartbeatMs: input.heartbeatMs, fetched: 0 }, [
        { do: "wait", timer: "stable", ms: timing.stableMs },
        ...(state.visible ? [{ do: "wait", timer: "beat", ms: input.heartbeatMs } as const] : []),
      ]];
    case "pong":
      if (input.n !== state.beat || state.phase !== "open") return [state, []];
      return [state, [
        { do: "forget", timer: "pong" },
        ...(state.visible ? [{ do: "wait", timer: "beat", ms: state.heartbeatMs } as const] : []),
      ]];
    case "drain":
      return [{ ...state, drainMs: input.spreadMs }, []];
    default:
      return outside(state, input, timing);
  }
}

/** What comes from the page and its surroundings. */
function outside(
  state: ConnectionState,
  input: Exclude<ConnectionInput, { chance: number } | { n: number } | { heartbeatMs: number }>,
  timing: Timing,
): Step {
  switch (input.on) {
    case "visible":
      return awake({ ...state, visible: true }, timing);
    case "online":
      return awake({ ...state, online: true }, timing);
    case "hidden":
    case "offline": {
      const next = { ...state, [input.on === "hidden" ? "visible" : "online"]: false };
      if (state.phase === "waiting") {
        return [{ ...next, phase: "idle" }, [{ do: "forget", timer: "retry" }]];
      }
      if (input.on === "offline") return ping(next, timing);
      return [next, [{ do: "forget", timer: "beat" }, { do: "forget", timer: "pong" }]];
    }
    case "interacted":
      return state.stopped === "replaced"
        ? open({ ...state, phase: "idle", failed: 0, stopped: undefined }, timing)
        : [state, []];
    case "reconnect":
      return state.phase === "open" || state.phase === "opening"
        ? [state, []]
        : open({ ...state, failed: 0, fetched: 0, stopped: undefined }, timing);
    case "suspend":
      return leave(state, {});
    case "stop":
      return leave(state, { phase: "stopped", stopped: "left" });
    case "fetched":
      return input.ok ? open({ ...state, phase: "idle" }, timing) : reload(state);
    default:
      return [state, []];
  }
}
