import { Recorder } from "../../adapters/inspector/recorder.ts";
import { createVirtualClock } from "../../adapters/testing/mod.ts";
import type { TelemetryEvent } from "../../src/ports/telemetry.ts";
import { assert, assertEquals, test } from "../harness/mod.ts";
import { Berth, harbour } from "./world.ts";

/** A recorder whose events the test makes. */
function recording() {
  const clock = createVirtualClock({ now: 1_000_000 });
  let listeners = 0;
  let tell: (event: TelemetryEvent) => void = () => {};
  const recorder = new Recorder(clock, (listener) => {
    listeners++;
    tell = listener;
    return () => {
      listeners--;
      tell = () => {};
    };
  });
  const put = (durationMs: number, result: "ok" | "conflict" = "ok") =>
    tell({
      name: "holdfast.storage.put",
      phase: "stop",
      id: "1",
      ref: "x",
      attempt: 1,
      durationMs,
      result,
    });
  const event = (view: string) => tell({ name: "holdfast.live.event", ref: "", view });
  return { clock, recorder, put, event, listeners: () => listeners };
}

const about = (value: number | undefined, expected: number) =>
  value !== undefined && value >= expected && value <= expected * 1.25;

test("[IN7] it counts by the second, and tells durations to the quarter", async () => {
  const { clock, recorder, put, event } = recording();
  recorder.look();
  event("shop");
  event("inspector-overview");
  for (let i = 0; i < 99; i++) put(1);
  put(500, "conflict");
  await clock.advance(2000);
  put(3);
  await clock.advance(2000);
  assertEquals(recorder.rate("writes").slice(-3), [undefined, 50, 0.5]);
  assertEquals(recorder.rate("events").slice(-2), [0.5, 0], "not of the inspector itself");
  assertEquals(recorder.rate("conflicts").slice(-2), [0.5, 0]);
  const { p50, p99 } = recorder.latency();
  assert(about(p50.at(-2), 1) && about(p50.at(-1), 3), `${p50.slice(-2)}`);
  assert(about(p99.at(-2), 1) && about(p99.at(-1), 3), `${p99.slice(-2)}`);
  put(500);
  put(0);
  put(1e9);
  await clock.advance(2000);
  assertEquals(recorder.latency().p50.at(-1)! > 400, true);
});

test("[IN7] it keeps five minutes, and nothing after a gap that is not of them", async () => {
  const { clock, recorder, put } = recording();
  recorder.look();
  put(1);
  await clock.advance(298_000);
  recorder.look();
  const points = recorder.rate("writes");
  assertEquals([points.length, points[0]], [149, 0.5]);
  await clock.advance(2000);
  assertEquals(recorder.rate("writes").every((point) => point === 0), true);
  put(1);
  await clock.advance(150_000);
  recorder.look();
  await clock.advance(290_000);
  assertEquals(recorder.rate("writes").some((point) => (point ?? 0) > 0), false);
});

test("[IN7] it listens while somebody looks, and five minutes longer", async () => {
  const { clock, recorder, put, listeners } = recording();
  assertEquals([listeners(), clock.pending], [0, 0]);
  recorder.look();
  recorder.look();
  assertEquals(listeners(), 1);
  await clock.advance(200_000);
  put(1);
  recorder.look();
  await clock.advance(299_000);
  assertEquals(listeners(), 1);
  await clock.advance(1000);
  assertEquals([listeners(), clock.pending, recorder.listening], [0, 0, false]);
  // What was counted before is not of the time that is shown then.
  recorder.look();
  await clock.advance(4000);
  assertEquals(recorder.rate("writes").filter((point) => point !== undefined), [0, 0]);
  recorder.close();
  assertEquals([listeners(), clock.pending], [0, 0]);
});

test("[IN7] what the application does is in the charts of the overview", async () => {
  const node = harbour();
  await node.page("");
  await node.at.finish(node.holdfast.object(Berth, "north").dock());
  await node.at.clock.advance(4000);
  const page = await node.page("");
  assert(/Writes to storage: now \S+ \/s; at most 0.50 \/s/.test(page), page);
  assert(page.includes("<polyline"), "a line is drawn");
});
