import { durableObjectHost, hostedObjects } from "../../adapters/cloudflare/mod.ts";
import { defineObject } from "../../mod.ts";
import { assert, assertEquals, assertThrows, skip, test } from "../harness/mod.ts";
import type { TestContext } from "../harness/mod.ts";
import type { Step } from "./fixtures/hosted.ts";
import { folderFor, noWorkerd, start } from "./fixtures/workerd.ts";

/** What a step has led to. */
interface Told {
  readonly value?: unknown;
  readonly error?: Readonly<Record<string, unknown>>;
}

type Counter = (handler: string, id: string, ...args: readonly unknown[]) => Promise<unknown>;

async function open(t: TestContext, disk?: string) {
  const objects = { STORE: "HoldfastStore", OBJECTS: "HoldfastObjects" };
  const worker = await start(t, "hosted.ts", { objects }, disk);
  const tell = async (step: Step): Promise<Told> =>
    await (await fetch(worker.url, { method: "POST", body: JSON.stringify(step) })).json();
  const take = async (step: Step): Promise<unknown> => {
    const { value, error } = await tell(step);
    assertEquals(error, undefined);
    return value;
  };
  const failure = async (step: Step): Promise<Readonly<Record<string, unknown>>> =>
    (await tell(step)).error ?? {};
  const counter: Counter = (handler, id, ...args) =>
    take({ what: "call", name: "counter", handler, id, args });
  const seen = async (): Promise<readonly string[]> =>
    await take({ what: "call", name: "witness", handler: "seen" }) as readonly string[];
  return { tell, take, failure, counter, seen, kill: worker.kill };
}

/** Asks again and again until an answer is the one that is waited for. */
async function until<T>(ask: () => Promise<T>, fine: (answer: T) => boolean): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (fine(answer)) return answer;
    await new Promise((resolve) => void setTimeout(resolve, 20));
  }
}

test("[CF6] a host or a way to objects that makes no sense is refused", () => {
  const namespace = { idFromName: (name: string) => name, get: () => ({ fetch }) };
  const binding = () => namespace as never;
  const none = undefined as never;
  const Thing = defineObject({ name: "thing", vsn: 1, state: () => ({}), handlers: {} });
  const Other = defineObject({ name: "thing", vsn: 2, state: () => ({}), handlers: {} });
  for (
    const make of [
      () => durableObjectHost({ objects: none, binding }),
      () => durableObjectHost({ objects: [{} as never], binding }),
      () => durableObjectHost({ objects: [Thing, Other], binding }),
      () => durableObjectHost({ objects: [Thing], binding: none }),
      () => durableObjectHost({ objects: [Thing], binding, ids: {} as never }),
      () => hostedObjects(none),
      () => hostedObjects(namespace as never, { ids: {} as never }),
      () => hostedObjects(namespace as never).object({} as never, "1"),
    ]
  ) assertThrows(make, (error) => error instanceof TypeError);
  for (
    const make of [
      () => durableObjectHost({ objects: [Thing], binding, limits: { mailbox: 0 } }),
      () => durableObjectHost({ objects: [Thing], binding, alarmTries: 0 }),
      () => hostedObjects(namespace as never, { callTimeoutMs: 1 }),
      () => hostedObjects(namespace as never).object(Thing, ""),
    ]
  ) assertThrows(make, (error) => error instanceof RangeError);
});

if (noWorkerd === undefined) {
  test("[CF7] calls of a hosted object run one after the other, and survive a kill", async (t) => {
    const disk = await folderFor(t);
    const first = await open(t, disk);
    const counts = await Promise.all(
      Array.from({ length: 20 }, () => first.counter("add", "a", 1)),
    );
    assertEquals(counts.map(Number).sort((a, b) => a - b), Array.from(counts, (_, i) => i + 1));
    assertEquals(await first.counter("add", "b", 5), 5);
    await first.kill();
    const second = await open(t, disk);
    assertEquals(await second.counter("get", "a"), 20);
    assertEquals(await second.counter("add", "b", 1), 6);
  });

  test("[CF8] an alarm fires after a restart though nobody calls its object", async (t) => {
    const disk = await folderFor(t);
    const first = await open(t, disk);
    await first.counter("ringIn", "late", 60_000);
    await first.counter("ringIn", "a", 1500);
    await first.counter("ringIn", "b", 1500);
    assertEquals(await first.seen(), []);
    await first.kill();
    const second = await open(t, disk);
    const seen = await until(second.seen, ({ length }) => length >= 2);
    assertEquals([...seen].sort(), ["a", "b"]);
    assertEquals(await second.counter("get", "a"), 1);
    const { scheduled } = await second.take({ what: "alarms", name: "counter", id: "late" }) as {
      readonly scheduled: readonly unknown[];
    };
    assertEquals(scheduled.length, 1);
  });

  test("[CF9] a hosted alarm that fails is tried again, then parked where it can be seen and fired", async (t) => {
    const { take, failure, counter, seen } = await open(t);
    const look = async () =>
      await take({ what: "alarms", name: "counter" }) as {
        readonly scheduled: readonly { readonly attempt: number }[];
        readonly parked: readonly { readonly attempts: number; readonly error: string }[];
      };
    await counter("break", "1", true);
    await counter("ringIn", "1", 0);
    const fire: Step = { what: "fire", name: "counter", handler: "ring" };
    await until(look, ({ scheduled }) => scheduled[0]?.attempt === 2);
    assertEquals((await failure(fire))["message"], "broken bell");
    const { scheduled, parked } = await look();
    assertEquals([scheduled, parked[0]?.attempts, parked[0]?.error], [[], 2, "Error: broken bell"]);
    await counter("break", "1", false);
    assertEquals([await take(fire), await take(fire)], [true, false]);
    assertEquals([await counter("get", "1"), await seen()], [1, ["1"]]);
  });

  test("[CF10] what goes wrong in a hosted object reaches its caller with name, message and code", async (t) => {
    const { take, failure, counter } = await open(t);
    const call = { what: "call", name: "counter" } as const;
    const { name, message, code, ours } = await failure({ ...call, handler: "fail" });
    assertEquals([name, message, code, ours], ["RangeError", "too far", "FAR", false]);
    assertEquals(await counter("get", "1"), 0);
    const cases: readonly (readonly [Step, string])[] = [
      [{ ...call, handler: "add", args: ["1"] }, "ERR_INVALID_ARGUMENTS"],
      [{ ...call, handler: "big" }, "ERR_INVALID_VALUE"],
      [{ ...call, handler: "get", options: { existing: true } }, "ERR_UNKNOWN_OBJECT"],
      [{ ...call, name: "quick", handler: "hang" }, "ERR_DEADLINE"],
      [{ ...call, name: "unknown", handler: "get" }, "ERR_UNKNOWN_CLASS"],
    ];
    for (const [step, expected] of cases) {
      const error = await failure(step);
      assertEquals([error["code"], error["ours"]], [expected, true], JSON.stringify(error));
    }
    const { problems } = await failure({ ...call, handler: "add", args: ["1"] });
    assertEquals(problems, [
      { path: "[0]", reason: "does not satisfy its schema: is no number" },
    ]);
    assertEquals(await take({ what: "exists", name: "counter" }), false);
    assertEquals(await take({ what: "raw", name: "counter", handler: "tables" }), [200, []]);
  });

  test("[CF11] a hosted object calls another one, and a circle is refused", async (t) => {
    const { counter, failure } = await open(t);
    assertEquals(await counter("give", "a", "b", 3), 3);
    assertEquals([await counter("get", "a"), await counter("get", "b")], [-3, 3]);
    assertEquals(await counter("circle", "a", "b"), "ERR_REENTRANT");
    const toItself = { what: "call", name: "counter", handler: "circle", args: ["1"] } as const;
    assertEquals((await failure(toItself))["code"], "ERR_REENTRANT");
    assertEquals(await counter("get", "1"), 0);
  });

  test("[CF12] a deleted hosted object is gone, with its alarms, and takes no late write", async (t) => {
    const disk = await folderFor(t);
    const first = await open(t, disk);
    await first.counter("add", "1", 1);
    await first.counter("ringIn", "1", 60_000);
    const about = { name: "counter" } as const;
    assertEquals(await first.take({ what: "exists", ...about }), true);
    assertEquals(await first.take({ what: "delete", ...about }), true);
    assertEquals(await first.take({ what: "delete", ...about }), false);
    await first.kill();
    const second = await open(t, disk);
    assertEquals(await second.take({ what: "exists", ...about }), false);
    assertEquals(await second.take({ what: "alarms", ...about }), { scheduled: [], parked: [] });
    const { code } = await second.failure({ what: "call", ...about, handler: "add", args: [1] });
    assertEquals(code, "ERR_DELETED");
  });

  test("[CF13] hosted objects are listed by the ids that are noted, and refused without", async (t) => {
    const { take, failure, counter } = await open(t);
    for (const id of ["a/1", "a/2", "b"]) await counter("add", id, 1);
    await failure({ what: "call", name: "counter", id: "never", handler: "fail" });
    assertEquals(await take({ what: "delete", name: "counter", id: "a/2" }), true);
    const list = { what: "list", name: "counter" } as const;
    assertEquals(await take(list), { ids: ["a/1", "b"] });
    assertEquals(await take({ ...list, options: { prefix: "a/" } }), { ids: ["a/1"] });
    assertEquals(await take({ ...list, options: { after: "a/1" } }), { ids: ["b"] });
    const { code, message } = await failure({ ...list, what: "listUnnoted" });
    assertEquals(code, "ERR_REFUSED");
    assert(String(message).includes("each is in a storage of its own"), String(message));
  });

  test("[CF14] a call whose answer is lost is told to be unknown, and what is none of ours is refused", async (t) => {
    const { take, failure, counter } = await open(t);
    const add = { what: "call", name: "counter", handler: "add", args: [1], deaf: true } as const;
    const lost = await failure(add);
    assertEquals([lost["code"], lost["outcome"]], ["ERR_STORAGE_UNAVAILABLE", "unknown"]);
    assertEquals(await counter("get", "1"), 1);
    const look = await failure({ what: "exists", name: "counter", deaf: true });
    assertEquals([look["code"], look["outcome"]], ["ERR_STORAGE_UNAVAILABLE", "none"]);
    for (const text of ["", "{}", "[]", '{"look":"delete","className":"counter","objectId":"1"}']) {
      const raw = { what: "raw", name: "counter", handler: text } as const;
      assertEquals(await take(raw), [400, { kind: "refused" }]);
    }
    assertEquals(await take({ what: "exists", name: "counter" }), true);
  });
  test("[CF15] nothing is left of a hosted object when the mark that it was deleted is over", async (t) => {
    const { take, counter } = await open(t);
    await counter("add", "1", 1);
    assertEquals(await take({ what: "noted", name: "counter" }), ["app/object/counter/1"]);
    assertEquals(await take({ what: "delete", name: "counter" }), true);
    assertEquals(await take({ what: "raw", name: "counter", handler: "age" }), [200, []]);
    assertEquals(await take({ what: "noted", name: "counter" }), []);
    assertEquals(await counter("add", "1", 5), 5);
    assertEquals(await take({ what: "list", name: "counter" }), { ids: ["1"] });
  });
} else {
  skip("[CF7] calls of a hosted object run one after the other, and survive a kill", noWorkerd);
  skip("[CF8] an alarm fires after a restart though nobody calls its object", noWorkerd);
  skip("[CF9] a hosted alarm that fails is tried again, then parked", noWorkerd);
  skip("[CF10] what goes wrong in a hosted object reaches its caller", noWorkerd);
  skip("[CF11] a hosted object calls another one, and a circle is refused", noWorkerd);
  skip("[CF12] a deleted hosted object is gone, with its alarms", noWorkerd);
  skip("[CF13] hosted objects are listed by the ids that are noted", noWorkerd);
  skip("[CF14] a call whose answer is lost is told to be unknown", noWorkerd);
  skip("[CF15] nothing is left of a hosted object when the mark is over", noWorkerd);
}
