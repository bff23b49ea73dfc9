import assert from "node:assert/strict";
import { createHoldfast, defineDocument } from "holdfast";
import { memoryStorage } from "holdfast/memory";

type Op = { add: string } | { remove: string };

/** A list that everybody in a household edits. */
const ShoppingList = defineDocument({
  name: "shopping-list",
  vsn: 1,
  state: () => ({ items: [] as string[] }),
  apply({ items }, op: Op) {
    if ("remove" in op) {
      if (!items.includes(op.remove)) return { discard: "somebody else has removed it" };
      const kept = items.filter((item) => item !== op.remove);
      return { state: { items: kept }, inverse: { add: op.remove } };
    }
    const item = op.add.trim();
    if (item === "") return { reject: "an item needs a name" };
    if (items.includes(item)) return { discard: "it is on the list" };
    // What is stored and sent is the operation as it was put right.
    return { state: { items: [...items, item] }, op: { add: item }, inverse: { remove: item } };
  },
});

await using holdfast = createHoldfast({
  storage: memoryStorage(),
  secrets: [crypto.getRandomValues(new Uint8Array(32))],
});
const list = holdfast.document(ShoppingList, "household-7");

// Ada watches. What there is, and every operation after it, in one answer.
const heard: unknown[] = [];
const ada = await list.join({
  actor: "ada",
  deliver: (frame) => void (frame.t === "ops" && heard.push(...frame.entries.map((e) => e.op))),
});
assert.deepEqual(ada.state, { items: [] });

const answer = await list.mutate({ add: " kelp " }, { actor: "bob" });
assert.deepEqual(answer, { status: "rectified", seq: 1, op: { add: "kelp" } });
await ada.mutate({ add: "rope" });
assert.deepEqual(heard, [{ add: "kelp" }, { add: "rope" }]);

// Undo is per person, and goes on after a restart: the log has what undoes each step.
await list.undo("ada");
assert.deepEqual(await list.state(), { items: ["kelp"] });
assert.deepEqual(await list.mutate({ add: "" }), {
  status: "rejected",
  reason: "an item needs a name",
});

// Who did what, and how it was.
const history = await list.history({ where: ({ actor }) => actor === "ada" });
assert.deepEqual(history.map(({ seq }) => seq), [2, 3]);
assert.deepEqual(await list.stateAt(2), { items: ["kelp", "rope"] });
