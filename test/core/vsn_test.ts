import fc from "fast-check";
import { assert, assertEquals, assertThrows, test } from "../harness/mod.ts";
import { InvalidValueError } from "../../src/core/errors.ts";
import { checkVsn, mayWrite, upgrade } from "../../src/core/vsn.ts";

test("[VS1] data of the same version is kept, without asking migrate", () => {
  const data = { a: 1 };
  const result = upgrade({ vsn: 2, data }, 2, () => {
    throw new Error("asked");
  });
  assert(result.status === "kept" && result.data === data);
});

test("[VS2] older data is migrated in one step, on a private copy, to a normal value", () => {
  const data = { cart: ["kelp"] };
  const result = upgrade({ vsn: 1, data }, 3, (from, old) => {
    (old["cart"] as string[]).push("changed");
    return { from, items: old["cart"], note: undefined };
  });
  assertEquals(result, {
    status: "migrated",
    from: 1,
    data: { from: 1, items: ["kelp", "changed"] },
  });
  assertEquals(data, { cart: ["kelp"] });
});

test("[VS3] older data without migrate is discarded", () => {
  assertEquals(upgrade({ vsn: 1, data: { a: 1 } }, 2), { status: "discarded", from: 1 });
});

test("[VS4] newer data is left alone, and migrate is not asked", () => {
  assertEquals(upgrade({ vsn: 3, data: {} }, 2, () => ({})), { status: "newer", found: 3 });
});

test("[VS5] a migrate that throws or returns no JSON object is a failure with its cause", () => {
  const boom = new Error("boom");
  const thrown = upgrade({ vsn: 1, data: {} }, 2, () => {
    throw boom;
  });
  assertEquals(thrown, { status: "failed", from: 1, cause: boom });
  for (const returned of [undefined, null, [], "x", 1, new Map(), Promise.resolve({}), { a: 1n }]) {
    const result = upgrade({ vsn: 1, data: {} }, 2, () => returned);
    assert(result.status === "failed" && result.cause instanceof Error, String(returned));
  }
  const invalid = upgrade({ vsn: 1, data: {} }, 2, () => ({ at: new Date(0) }));
  assert(invalid.status === "failed" && invalid.cause instanceof InvalidValueError);
  assertEquals(invalid.cause.problems, [{ path: "at", reason: "is an instance of Date" }]);
  const limits = { maxBytes: 10, maxDepth: 2, maxNodes: 5 };
  const large = upgrade({ vsn: 1, data: {} }, 2, () => ({ a: "0123456789" }), limits);
  assertEquals(large.status, "failed");
});

test("[VS5] a stored version that is not one is a failure, not a reason to discard", () => {
  for (const vsn of [NaN, 0, -1, 0.5, null, undefined, "x"]) {
    assertEquals(upgrade({ vsn: vsn as number, data: {} }, 2).status, "failed");
  }
});

test("[VS6] a writer merges into its own version, replaces an older one, never touches a newer", () => {
  assertEquals(mayWrite(undefined, 1), "merge");
  assertEquals(mayWrite(2, 2), "merge");
  assertEquals(mayWrite(1, 2), "replace");
  assertEquals(mayWrite(2, 1), "refused");
  assertEquals(mayWrite(NaN, 1), "refused");
});

test("[VS6] once a version was written, no older writer changes the slice", () => {
  const vsn = fc.integer({ min: 1, max: 5 });
  fc.assert(fc.property(fc.array(vsn), (writers) => {
    let stored: number | undefined;
    for (const writer of writers) {
      const before = stored;
      if (mayWrite(stored, writer) !== "refused") stored = writer;
      assert(stored !== undefined && (before === undefined || stored >= before));
    }
  }));
});

test("[VS7] a version is an integer from 1 to 2147483647", () => {
  for (const vsn of [1, 2, 2 ** 31 - 1]) assertEquals(checkVsn(vsn, 'stash "a"'), vsn);
  for (const vsn of [0, -1, 1.5, NaN, Infinity, 2 ** 31]) {
    const error = assertThrows(
      () => checkVsn(vsn, 'stash "a"'),
      /^Cannot define stash "a": its vsn/,
    );
    assert(error instanceof RangeError);
  }
  for (const vsn of ["1", null, undefined, {}, 1n, Symbol("s")]) {
    const error = assertThrows(() => checkVsn(vsn, 'stash "a"'), /is not a number$/);
    assert(error instanceof TypeError);
  }
});

test("[VS5] a migrate that answers with a promise has failed, also one that rejects", async () => {
  const rejecting = upgrade({ vsn: 1, data: {} }, 2, () => Promise.reject(new Error("too late")));
  const resolving = upgrade({ vsn: 1, data: {} }, 2, () => Promise.resolve({}));
  assertEquals([rejecting.status, resolving.status], ["failed", "failed"]);
  // An unhandled rejection would fail the test here.
  await new Promise((resolve) => setTimeout(resolve, 0));
});
