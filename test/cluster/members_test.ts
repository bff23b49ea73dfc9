import { type Beat, Members, place } from "../../src/cluster/members.ts";
import { ownerOf } from "../../src/cluster/placement.ts";
import { packError, unpackError } from "../../src/cluster/wire.ts";
import { InvalidArgumentsError, StorageUnavailableError } from "../../src/core/errors.ts";
import { assert, assertEquals, test } from "../harness/mod.ts";

const keys = Array.from({ length: 3000 }, (_, i) => `app/object/counter/${i}`);

function beat(address: string, more: Partial<Beat> = {}): Beat {
  return { address, incarnation: 1, state: "up", serves: { counter: 1 }, ...more };
}

test("[CU5] each node gets its share of the keys, and the order of the nodes does not matter", () => {
  const addresses = ["a", "b", "c"];
  const counts = new Map<string, number>();
  for (const key of keys) {
    const owner = ownerOf(addresses, key) ?? "";
    assertEquals(ownerOf([...addresses].reverse(), key), owner);
    counts.set(owner, (counts.get(owner) ?? 0) + 1);
  }
  for (const address of addresses) {
    const share = counts.get(address) ?? 0;
    assert(share > 850 && share < 1150, `${address} has ${share} of 3000`);
  }
});

test("[CU5] a node that goes takes only its own keys along", () => {
  for (const key of keys) {
    const before = ownerOf(["a", "b", "c"], key);
    if (before !== "c") assertEquals(ownerOf(["a", "b"], key), before);
  }
  assertEquals(ownerOf([], "x"), undefined);
});

test("[CU5] only nodes that are up and serve the class in its newest version own its objects", () => {
  const beats = [
    beat("a"),
    beat("b", { serves: { counter: 2 } }),
    beat("c", { serves: { counter: 2 }, state: "draining" }),
    beat("d", { serves: { other: 9 } }),
  ];
  for (const key of keys.slice(0, 50)) {
    assertEquals(place(beats, "counter", key), "b");
    assertEquals(place(beats, "other", key), "d");
    assertEquals(place(beats, "toString", key), undefined);
  }
});

test("[CU6] whoever was not heard for so long is dropped, and is back with its next heartbeat", () => {
  const members = new Members(100);
  assertEquals(members.hear(beat("a"), 0), "new");
  assertEquals(members.hear(beat("a"), 60), "same");
  assertEquals(members.lapse(159), []);
  assertEquals(members.lapse(160), ["a"]);
  assertEquals(members.hear(beat("a"), 161), "new");
});

test("[CU6] late heartbeats bring back nobody who has left or is draining", () => {
  const members = new Members(100);
  members.hear(beat("a"), 0);
  assertEquals(members.hear(beat("a", { state: "draining" }), 1), "changed");
  assertEquals(members.hear(beat("a"), 2), "same");
  assertEquals(members.get("a")?.state, "draining");
  assertEquals(members.hear(beat("a", { state: "gone" }), 3), "changed");
  assertEquals(members.hear(beat("a"), 4), "same");
  assertEquals(members.get("a"), undefined);
  assertEquals(members.hear(beat("a", { incarnation: 2 }), 5), "new");
});

test("[CU3] whatever was thrown has an answer, also what cannot be read", () => {
  const refuse = (): never => {
    throw new Error("no");
  };
  const hostile = Object.defineProperty(new Error("x"), "message", { get: refuse });
  const odd = Object.assign(new Error("x"), { name: 5, message: { a: 1 }, problems: [null] });
  for (const thrown of [hostile, odd, { toString: refuse, run: refuse }, Symbol("s"), null]) {
    const { name, message } = packError(thrown);
    assertEquals([typeof name, typeof message], ["string", "string"]);
  }
  const named = Object.assign(new Error("x"), { name: 5, message: { a: 1 } });
  assertEquals(packError(named), { name: "5", message: "[object Object]" });
});

test("[CU3] errors cross with name, message, code and class, without stack and cause", () => {
  const range = Object.assign(new RangeError("Too many", { cause: "secret" }), { code: "E_MANY" });
  const crossed = unpackError(JSON.parse(JSON.stringify(packError(range))));
  assert(crossed instanceof RangeError);
  assertEquals([crossed.name, crossed.message, crossed.cause], [
    "RangeError",
    "Too many",
    undefined,
  ]);
  assertEquals((crossed as { code?: string }).code, "E_MANY");

  const args = new InvalidArgumentsError('"f"', [{ path: "0.x", reason: "is not a number" }]);
  const again = unpackError(JSON.parse(JSON.stringify(packError(args))));
  assert(again instanceof InvalidArgumentsError);
  assertEquals([again.code, again.problems, again.retryable], [args.code, args.problems, false]);

  const lost = new StorageUnavailableError("Gone", "unknown");
  const back = unpackError(JSON.parse(JSON.stringify(packError(lost))));
  assert(back instanceof StorageUnavailableError);
  assertEquals([back.outcome, back.retryable], ["unknown", true]);

  assertEquals(unpackError(JSON.parse(JSON.stringify(packError({ why: "x" })))), { why: "x" });
});
