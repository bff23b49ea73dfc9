import fc from "fast-check";
import { assert, assertEquals, test } from "../harness/mod.ts";
import { rejoinDelay, retryDelay } from "../../src/client/backoff.ts";
import { afterClose } from "../../src/client/closing.ts";
import {
  type ConnectionAction,
  type ConnectionInput,
  type ConnectionState,
  connectionStep,
  type ConnectionTimer,
  newConnection,
} from "../../src/client/connection.ts";
import { defaultTiming as timing } from "../../src/client/timing.ts";
import { closeCode } from "../../src/live/protocol.ts";

function closed(code = 1006, chance = 0.5): ConnectionInput {
  return { on: "closed", code, chance };
}

function fired(timer: ConnectionTimer): ConnectionInput {
  return { on: "timer", timer, chance: 0.5 };
}

function world(visible: boolean, online: boolean): ConnectionInput {
  return { on: "world", visible, online };
}

type Result = readonly [ConnectionState, readonly ConnectionAction[]];

/** Runs inputs from a fresh connection; answers the state and the actions of the last. */
function run(...inputs: readonly ConnectionInput[]): Result {
  let state = newConnection("socket", true, true);
  let actions: readonly ConnectionAction[] = [];
  for (const input of inputs) [state, actions] = connectionStep(state, input, timing);
  return [state, actions];
}

const opened: readonly ConnectionInput[] = [{ on: "start" }, { on: "opened" }];
const joined: ConnectionInput = { on: "joined", heartbeatMs: 25_000 };

function delayOf(actions: readonly ConnectionAction[]): number | undefined {
  return actions.flatMap((action) =>
    action.do === "wait" && action.timer === "retry" ? [action.ms] : []
  )[0];
}

function does(actions: readonly ConnectionAction[], what: ConnectionAction["do"]): boolean {
  return actions.some((action) => action.do === what);
}

test("[LC3] delays follow the table with jitter, the first at random from nothing", () => {
  assertEquals([retryDelay(timing, 0, 0), retryDelay(timing, 0, 0.5)], [0, 125]);
  const steps = [1, 2, 3, 4, 5, 6, 7, 100];
  const expected = [250, 500, 1000, 2000, 5000, 10_000, 10_000, 10_000];
  assertEquals(steps.map((n) => retryDelay(timing, n, 0.5)), expected);
  fc.assert(fc.property(fc.nat(50), fc.double({ min: 0, max: 0.999, noNaN: true }), (n, chance) => {
    const ms = retryDelay(timing, n, chance);
    assert(ms >= 0 && ms < (n === 0 ? 250 : 15_000));
  }));
});

test("[LC7] joins after a crash come at once, then at 1, 2, 5 and 10 s, give or take 30 %", () => {
  const delays = [1, 2, 3, 4, 5, 6].map((n) => rejoinDelay(timing, n, 0.5));
  assertEquals(delays, [50, 1000, 2000, 5000, 10_000, 10_000]);
  const edges = [rejoinDelay(timing, 2, 0), rejoinDelay(timing, 2, 1)];
  assertEquals(edges.map(Math.round), [700, 1300]);
});

test("[LC3] attempts are counted until a connection has held, not until it opens", () => {
  const failing = [closed(), fired("retry")];
  assertEquals(delayOf(run(...opened, closed())[1]), 125);
  assertEquals(delayOf(run(...opened, ...failing, ...failing, closed())[1]), 500);
  const again = [...opened, ...failing, ...failing, { on: "opened" } as const, joined];
  assertEquals(delayOf(run(...again, closed())[1]), 500, "joined, but not stable");
  assertEquals(delayOf(run(...again, fired("stable"), closed())[1]), 125);
});

test("[LC3] after a drain the reconnect is spread over what the server said, once", () => {
  const drained = [...opened, joined, { on: "drain", spreadMs: 2000 } as const];
  assertEquals(delayOf(run(...drained, closed(1012, 0.9))[1]), 1800);
  assertEquals(delayOf(run(...drained, closed(1012), fired("retry"), closed())[1]), 250);
});

test("[LC4] nothing is tried while hidden or offline, and at once when that ends", () => {
  for (const away of [world(false, true), world(true, false)]) {
    const [state, actions] = run(...opened, away, closed());
    assertEquals([state.phase, delayOf(actions)], ["idle", undefined]);
    const [waited, given] = run(...opened, closed(), away);
    assertEquals(
      [waited.phase, does(given, "open")],
      ["idle", false],
      "one that waited is given up",
    );
    assert(does(run(...opened, away, closed(), world(true, true))[1], "open"));
  }
  const hidden = newConnection("socket", false, true);
  assert(!does(connectionStep(hidden, { on: "start" }, timing)[1], "open"));
  assert(does(run(...opened, closed(), world(true, true))[1], "open"), "the focus ends the wait");
});

test("[LC5] a heartbeat goes out while the page is seen, and one unanswered ends the connection", () => {
  const [beating, ping] = run(...opened, joined, fired("beat"));
  assertEquals(ping.map((action) => action.do), ["forget", "ping", "wait"]);
  assertEquals(connectionStep(beating, { on: "pong", n: 1 }, timing)[1], [
    { do: "forget", timer: "pong" },
    { do: "wait", timer: "beat", ms: 25_000 },
  ]);
  assertEquals(connectionStep(beating, { on: "pong", n: 0 }, timing)[1], [], "an old answer");
  const [state, dead] = connectionStep(beating, fired("pong"), timing);
  assertEquals([state.phase, dead[0]], ["waiting", { do: "close", code: closeCode.noHeartbeat }]);
  assert(does(dead, "down"));
  const hidden = [...opened, joined, world(false, true)];
  assertEquals(run(...hidden)[1], [
    { do: "forget", timer: "beat" },
    { do: "forget", timer: "pong" },
  ]);
  assert(does(run(...hidden, world(true, true))[1], "ping"), "asked when it is seen again");
});

test("[LC5] a transport that does not open in time is given up", () => {
  const [state, actions] = run({ on: "start" }, fired("connect"));
  assertEquals([state.phase, actions[0]?.do, state.failed], ["waiting", "close", 1]);
  assert(!does(actions, "down"), "it was never up");
});

test("[LC6] each close code asks for what its name says", () => {
  const expected: readonly (readonly [number, string])[] = [
    [closeCode.unauthorized, "refetch"],
    [closeCode.unknownView, "reload"],
    [closeCode.version, "reload"],
    [closeCode.replaced, "wait"],
    [closeCode.badMessage, "fail"],
    [closeCode.tooLarge, "fail"],
    [1009, "fail"],
    [closeCode.rate, "retry-later"],
    [1013, "retry-later"],
    [closeCode.draining, "retry"],
    [closeCode.noJoin, "retry"],
    [1000, "retry"],
    [1001, "retry"],
    [1006, "retry"],
    [1011, "retry"],
  ];
  assertEquals(expected.map(([code]) => [code, afterClose(code)]), expected);
});

test("[LC6] a busy server is left alone for 5 s or more", () => {
  for (const chance of [0, 0.5, 0.99]) {
    const ms = delayOf(run(...opened, closed(closeCode.rate, chance))[1]) ?? 0;
    assert(ms >= 5000 && ms <= 7500, String(ms));
  }
});

test("[LC6] new tokens are tried before a new page, and neither again and again", () => {
  const refused = closed(closeCode.unauthorized);
  const [fetching, fetch] = run(...opened, refused);
  assertEquals([fetching.phase, fetch.at(-1)?.do], ["fetching", "refetch"]);
  const got: readonly ConnectionInput[] = [{ on: "fetched", ok: true }, { on: "opened" }];
  assertEquals(run(...opened, refused, ...got, refused)[1].at(-1)?.do, "reload");
  const [third] = run(...opened, refused, ...got, refused, ...got, refused);
  assertEquals([third.phase, third.why], ["stopped", "failed"]);
  assertEquals(run(...opened, refused, ...got, joined, refused)[1].at(-1)?.do, "refetch");
  assertEquals(run(...opened, refused, { on: "fetched", ok: false })[0].why, "failed");
});

test("[LC6] a page that was replaced comes back when its user does something", () => {
  const [state, actions] = run(...opened, closed(closeCode.replaced));
  assertEquals(actions.at(-1), { do: "tell", name: "error", detail: { code: "replaced" } });
  assertEquals(connectionStep(state, world(true, true), timing)[0].phase, "stopped");
  const [next] = connectionStep(state, { on: "interacted" }, timing);
  assertEquals([next.phase, next.why], ["opening", undefined]);
  const [failed] = run(...opened, closed(closeCode.badMessage));
  assertEquals(connectionStep(failed, { on: "interacted" }, timing)[0].phase, "stopped");
  assertEquals(connectionStep(failed, { on: "reconnect" }, timing)[0].phase, "opening");
});

test("[LC36] a stream is tried after two sockets that never opened, and a socket after it", () => {
  const kinds: string[] = [];
  let state = newConnection("socket", true, true);
  for (let n = 0; n < 6; n++) {
    [state] = connectionStep(state, n === 0 ? { on: "start" } : fired("retry"), timing);
    kinds.push(state.kind);
    [state] = connectionStep(state, closed(), timing);
  }
  assertEquals(kinds, ["socket", "socket", "stream", "stream", "socket", "socket"]);
  const [worked] = run(...opened, closed(), fired("retry"), closed(), fired("retry"), closed());
  assertEquals(worked.kind, "socket", "where one has worked, only the server can be away");
});

/** Anything that can happen to a connection, in any order. */
const happenings: fc.Arbitrary<ConnectionInput> = fc.oneof(
  fc.constantFrom<ConnectionInput>(
    { on: "opened" },
    { on: "interacted" },
    { on: "reconnect" },
    { on: "suspend" },
    joined,
    { on: "drain", spreadMs: 100 },
    { on: "fetched", ok: true },
  ),
  fc.constantFrom<ConnectionTimer>("retry", "connect", "beat", "pong", "stable").map(fired),
  fc.tuple(fc.boolean(), fc.boolean()).map(([visible, online]) => world(visible, online)),
  fc.constantFrom(1006, 1012, 4401, 4404, 4409, 4429, 4400).map((code) => closed(code)),
);

/** The surroundings of a connection: its timers and its transport. */
class Around {
  readonly timers: Set<string> = new Set();
  transport = false;

  /** Tells whether something can happen as things are; a timer that fires is gone. */
  allows(input: ConnectionInput, { phase }: ConnectionState): boolean {
    if (input.on === "timer") return this.timers.delete(input.timer);
    if (input.on === "opened") return phase === "opening";
    if (input.on === "joined" || input.on === "drain") return phase === "open";
    if (input.on === "fetched") return phase === "fetching";
    return input.on !== "closed" || this.transport;
  }

  carryOut(input: ConnectionInput, actions: readonly ConnectionAction[]): void {
    if (input.on === "closed") this.transport = false;
    for (const action of actions) {
      if (action.do === "wait") this.timers.add(action.timer);
      else if (action.do === "open") this.transport = true;
      else if (action.do === "close") this.transport = false;
      else if (action.do === "forget" && action.timer) this.timers.delete(action.timer);
      else if (action.do === "forget") this.timers.clear();
    }
  }
}

test("[LC5] [LC6] whatever happens, a connection never waits for nothing", () => {
  fc.assert(fc.property(fc.array(happenings, { maxLength: 40 }), (list) => {
    const around = new Around();
    let state = newConnection("socket", true, true);
    for (const input of [{ on: "start" } as const, ...list]) {
      if (!around.allows(input, state)) continue;
      const [next, actions] = connectionStep(state, input, timing);
      state = next;
      around.carryOut(input, actions);
      const { phase } = state;
      const { timers, transport } = around;
      assert(phase !== "waiting" || timers.has("retry"), `waits after ${JSON.stringify(input)}`);
      assert(phase !== "opening" || (timers.has("connect") && transport));
      assert((phase === "open" || phase === "opening") === transport, phase);
    }
  }));
});
