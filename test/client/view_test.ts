import fc from "fast-check";
import { assert, assertEquals, test } from "../harness/mod.ts";
import { announcement, defaultMessages } from "../../src/client/messages.ts";
import { applySplices } from "../../src/client/splice.ts";
import { defaultTiming as timing } from "../../src/client/timing.ts";
import {
  newView,
  type ShownState,
  shownState,
  type ViewAction,
  type ViewInput,
  type ViewState,
  viewStep,
} from "../../src/client/view.ts";
import type { JoinedFrame, LiveErrorCode, ServerFrame, Splice } from "../../src/live/protocol.ts";

function up(ref: number): ViewInput {
  return { on: "up", facts: { ref, url: "/a?b#c", assets: [] } };
}

function frame(one: ServerFrame): ViewInput {
  return { on: "frame", frame: one, chance: 0.5 };
}

function joined(ref: number, more: Partial<JoinedFrame> = {}): ViewInput {
  return frame({
    t: "joined",
    id: "v",
    ref,
    rev: 1,
    html: "<p>one</p>",
    token: "renewed",
    status: "new",
    mounts: 0,
    submitted: 0,
    node: "n",
    build: "b",
    heartbeatMs: 1,
    ...more,
  });
}

function failing(code: LiveErrorCode, more: { retry?: boolean; to?: string } = {}): ViewInput {
  return frame({ t: "error", id: "v", code, retry: true, ...more });
}

type Result = readonly [ViewState, readonly ViewAction[]];

function run(...inputs: readonly ViewInput[]): Result {
  let state = newView("v", "token", "navigate");
  let actions: readonly ViewAction[] = [];
  for (const input of inputs) [state, actions] = viewStep(state, input, timing);
  return [state, actions];
}

function kinds(actions: readonly ViewAction[]): readonly string[] {
  return actions.map((action) => action.do);
}

const live: readonly ViewInput[] = [up(1), joined(1), { on: "recovered" }];

test("[LC1] a join says who, where and which time; its answer is shown once the forms are told", () => {
  const [joining, [join, wait]] = run(up(7));
  assert(join?.do === "send" && join.frame.t === "join");
  const { id, ref, v, token, url, mounts, attempts, nav } = join.frame;
  assertEquals([id, ref, v, token, url, nav], ["v", 7, 1, "token", "/a?b#c", "navigate"]);
  assertEquals([mounts, attempts, joining.phase, wait?.do], [0, 0, "joining", "wait"]);
  const [state, actions] = run(up(7), joined(7, { title: "T" }));
  assertEquals([state.phase, state.mounts, state.token], ["recovering", 1, "renewed"]);
  assertEquals(kinds(actions), ["forget", "recover"]);
  const [, shown] = viewStep(state, { on: "recovered" }, timing);
  assertEquals(shown, [{ do: "show", html: "<p>one</p>", title: "T", fx: [] }]);
});

test("[LC2] joins are counted by their answers; one that was lost counts as an attempt", () => {
  const [state, [join]] = run(...live, { on: "down" }, up(2), { on: "down" }, up(3));
  assert(join?.do === "send" && join.frame.t === "join");
  assertEquals([join.frame.mounts, join.frame.attempts, state.mounts], [1, 1, 1]);
});

test("[LC9] an answer to a join that was given up, and a frame for no one, change nothing", () => {
  const [waiting] = run(up(1), { on: "down" }, up(2));
  assertEquals(viewStep(waiting, joined(1), timing), [waiting, []]);
  const [out] = run(...live, { on: "down" });
  const patch = frame({ t: "patch", id: "v", rev: 2, html: "<p>two</p>" });
  assertEquals(viewStep(out, patch, timing), [out, []]);
  assertEquals(viewStep(out, joined(1), timing), [out, []]);
});

test("[LC8] changes apply to the text they are for, and a misfit asks for the whole once", () => {
  const splice: readonly Splice[] = [[3, 3, "two"]];
  const [two, shown] = run(...live, frame({ t: "patch", id: "v", rev: 2, base: 1, splice }));
  assertEquals([two.html, two.rev, kinds(shown)], ["<p>two</p>", 2, ["show"]]);
  const misfit = frame({ t: "patch", id: "v", rev: 9, base: 8, splice });
  const [asked, ask] = viewStep(two, misfit, timing);
  assertEquals(ask, [{ do: "send", frame: { t: "full", id: "v" } }]);
  assertEquals(viewStep(asked, misfit, timing)[1], []);
  const whole = frame({ t: "patch", id: "v", rev: 10, html: "<p>ten</p>" });
  const [ten] = viewStep(asked, whole, timing);
  assertEquals([ten.html, ten.asked], ["<p>ten</p>", false]);
});

test("[LC8] [LC29] what changes while the forms are told is shown afterwards, effects in order", () => {
  const focus = (id: string) => ({ k: "focus", id }) as const;
  const reply = {
    t: "reply",
    id: "v",
    ref: 5,
    ok: true,
    rev: 2,
    html: "2",
    fx: [focus("b")],
  } as const;
  const [state, actions] = run(up(1), joined(1, { fx: [focus("a")] }), frame(reply));
  assertEquals([state.phase, kinds(actions)], ["recovering", ["settle"]]);
  assertEquals(viewStep(state, { on: "recovered" }, timing)[1], [
    { do: "show", html: "2", title: undefined, fx: [focus("a"), focus("b")] },
  ]);
});

test("[LC29] a reply settles its event before the page shows what it changed", () => {
  const reply = { t: "reply", id: "v", ref: 2, ok: true } as const;
  assertEquals(kinds(run(...live, frame({ ...reply, rev: 2, html: "x" }))[1]), ["settle", "show"]);
  const [, same] = run(...live, frame(reply));
  assertEquals(same.at(-1), { do: "show", html: undefined, title: undefined, fx: [] });
});

test("[LC8] splices make any text of any other, and are refused where they cannot fit", () => {
  const part = fc.record({ keep: fc.string(), old: fc.string(), fresh: fc.string() });
  fc.assert(fc.property(fc.array(part), fc.string(), (parts, end) => {
    let base = "";
    const splices: Splice[] = [];
    for (const { keep, old, fresh } of parts) {
      base += keep;
      splices.push([base.length, old.length, fresh]);
      base += old;
    }
    const expected = parts.map(({ keep, fresh }) => keep + fresh).join("") + end;
    assertEquals(applySplices(base + end, splices), expected);
  }));
  const wrong: readonly (readonly Splice[])[] = [
    [[5, 1, ""]],
    [[2, 1, ""], [1, 1, ""]],
    [[0, -1, ""]],
    [[-1, 0, ""]],
  ];
  for (const splices of wrong) assertEquals(applySplices("abc", splices), undefined);
});

test("[LC7] after a crash there are joins at growing intervals, of a mount that fails three", () => {
  const crash = failing("crash");
  const [state, actions] = run(...live, crash);
  assertEquals([state.phase, actions.at(-1)], ["resting", { do: "wait", timer: "rejoin", ms: 50 }]);
  const crashes = Array.from({ length: 6 }, (_, i) => [up(i + 2), crash]).flat();
  assertEquals(run(...live, ...crashes)[0].phase, "resting");
  const fails = (times: number) =>
    Array.from({ length: times }, (_, i) => [up(i + 1), failing("mount_failed")]).flat();
  assertEquals(run(...fails(3))[0].phase, "resting");
  assertEquals(run(...fails(4))[0].phase, "failed");
  assertEquals(run(...live, crash, { on: "stable" })[0].troubles, 0);
});

test("[LC5] a join that is not answered in time is tried again", () => {
  assertEquals(run(up(1), { on: "late" })[0].phase, "resting");
  assertEquals(run(...live, { on: "late" })[0].phase, "live");
});

test("[LC6] errors of a view ask for what their code says", () => {
  const after = (code: LiveErrorCode, to?: string) =>
    run(...live, failing(code, { retry: false, ...(to ? { to } : {}) }));
  for (const code of ["unauthorized", "expired"] as const) {
    assertEquals(after(code)[1].at(-1)?.do, "refetch");
  }
  for (const code of ["unknown_view", "version"] as const) {
    assertEquals([after(code)[1].at(-1)?.do, after(code)[0].phase], ["reload", "failed"]);
  }
  assertEquals(after("draining")[0].phase, "out");
  assertEquals(after("bad_message")[0].phase, "failed");
  assertEquals(after("crash", "/login")[1].at(-1), { do: "redirect", to: "/login" });
});

test("[LC33] with a new token a view is a page instance that has never joined", () => {
  const [state] = run(...live, { on: "token", token: "new" });
  assertEquals([state.token, state.mounts, state.phase, state.nav], ["new", 0, "out", "navigate"]);
});

test("[LC27] what a root shows follows from its view and the connection", () => {
  const open = { phase: "open", online: true, draining: false };
  const at = (phase: ViewState["phase"], mounts: number, connection = open) =>
    shownState({ phase, mounts }, connection);
  assertEquals([at("joining", 0), at("recovering", 1), at("live", 1), at("out", 1)], [
    "connecting",
    "connected",
    "connected",
    "reconnecting",
  ]);
  assertEquals([at("failed", 1), at("live", 1, { ...open, draining: true })], [
    "failed",
    "draining",
  ]);
  assertEquals(at("out", 1, { phase: "idle", online: false, draining: false }), "offline");
  assertEquals(at("out", 0, { phase: "stopped", online: true, draining: false }), "failed");
});

test("[LC27] what passes by is not said; what lasts is, and its end", () => {
  const say = (before: ShownState, now: ShownState) => announcement(defaultMessages, before, now);
  assertEquals(say("connecting", "connected"), undefined);
  assertEquals(say("connected", "draining"), undefined);
  assertEquals(say("draining", "connected"), undefined);
  assertEquals(say("connected", "reconnecting"), defaultMessages.reconnecting);
  assertEquals(say("reconnecting", "connected"), defaultMessages.connected);
  assertEquals(say("reconnecting", "reconnecting"), undefined);
});
