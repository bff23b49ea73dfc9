import fc from "fast-check";
import { assert, assertEquals, assertThrows, test } from "../harness/mod.ts";
import { isKey, keyBetween } from "../../src/document/fractional.ts";
import { rowOf } from "../../src/document/in_row.ts";
import {
  childrenOf,
  type Tree,
  treeDocument,
  type TreeNode,
  type TreeOp,
} from "../../src/document/tree.ts";
import { world } from "../object_model/world.ts";

const Board = treeDocument({ name: "board", vsn: 1 });
const { apply, parts } = Board.spec;
const ctx = { actor: "ada", at: 0, seq: 1 };

function node(id: string, parent: string | null, index = "a0"): TreeNode {
  return { id, type: "card", attrs: {}, parent, index };
}

function treeOf(...nodes: TreeNode[]): Tree {
  return { nodes: Object.fromEntries(nodes.map((each) => [each.id, each])) };
}

function done(tree: Tree, op: TreeOp): { state: Tree; op?: TreeOp; inverse?: TreeOp } {
  const applied = apply(tree, op, ctx);
  assert("state" in applied, JSON.stringify(applied));
  return applied;
}

test("[DT1] nodes are put where they were asked for, and at the end otherwise", () => {
  const put: TreeOp = {
    op: "put",
    nodes: [
      { id: "a", type: "column", attrs: { title: "To do" }, parent: null },
      { id: "b", type: "card", attrs: {}, parent: "a" },
      { id: "c", type: "card", attrs: {}, parent: "a" },
    ],
  };
  const { state, op, inverse } = done({ nodes: {} }, put);
  assertEquals(childrenOf(state, "a").map(({ id }) => id), ["b", "c"]);
  assert(op?.op === "put" && op.nodes.every(({ index }) => isKey(index)));
  assertEquals(inverse, { op: "remove", id: "a" });
  const between = keyBetween(state.nodes["b"]?.index ?? null, state.nodes["c"]?.index ?? null);
  const next = done(state, { op: "put", nodes: [{ ...node("d", "a"), index: between }] });
  assertEquals(childrenOf(next.state, "a").map(({ id }) => id), ["b", "d", "c"]);
  assertEquals(next.op, undefined);
});

test("[DT1] two nodes in one place get places of their own", () => {
  const tree = treeOf(node("a", null, "a0"), node("b", null, "a1"));
  const { state, op } = done(tree, { op: "put", nodes: [node("c", null, "a0")] });
  assertEquals(childrenOf(state, null).map(({ id }) => id), ["a", "c", "b"]);
  assert(op !== undefined);
});

test("[DT1] what is there already, or has no parent any more, is discarded; nonsense is rejected", () => {
  const tree = treeOf(node("a", null));
  const put = (...nodes: unknown[]) => apply(tree, { op: "put", nodes } as TreeOp, ctx);
  assertEquals(put(node("a", null)), { discard: 'node "a" is there already' });
  assertEquals(put(node("b", "gone")), { discard: 'the parent of node "b" is gone' });
  for (
    const bad of [
      null,
      { ...node("b", null), id: "__proto__" },
      { ...node("b", null), id: "a b" },
      { ...node("b", null), type: "" },
      { ...node("b", null), attrs: [] },
      { ...node("b", null), parent: 5 },
      { ...node("b", null), index: "" },
    ]
  ) assert("reject" in put(bad), JSON.stringify(bad));
  assert("reject" in put());
  assert("reject" in apply(tree, { op: "sing" } as never, ctx));
  assert("reject" in apply(tree, "nonsense" as never, ctx));
});

test("[DT2] attributes are merged, and the inverse puts back what was there", () => {
  const tree = treeOf({ ...node("a", null), attrs: { title: "Kelp", done: false } });
  const op: TreeOp = { op: "update", id: "a", set: { title: "Rope", tag: 1 }, unset: ["done"] };
  const { state, inverse } = done(tree, op);
  assertEquals(state.nodes["a"]?.attrs, { title: "Rope", tag: 1 });
  assert(inverse !== undefined);
  assertEquals(done(state, inverse).state.nodes["a"]?.attrs, { title: "Kelp", done: false });
  assertEquals(apply(tree, { op: "update", id: "b" }, ctx), { discard: 'node "b" is gone' });
  assert("reject" in apply(tree, { op: "update", id: "a", set: [] } as never, ctx));
});

test("[DT3] a node moves with all that is in it, never into itself", () => {
  const tree = treeOf(node("a", null), node("b", "a"), node("c", "b"), node("d", null, "a1"));
  const { state, inverse } = done(tree, { op: "move", id: "b", parent: "d" });
  assertEquals(childrenOf(state, "d").map(({ id }) => id), ["b"]);
  assertEquals(childrenOf(state, "b").map(({ id }) => id), ["c"]);
  assert(inverse !== undefined);
  assertEquals(done(state, inverse).state, tree);
  for (const parent of ["a", "b", "c"]) {
    assert("reject" in apply(tree, { op: "move", id: "a", parent }, ctx), parent);
  }
  assert("discard" in apply(tree, { op: "move", id: "a", parent: "gone" }, ctx));
  assert("discard" in apply(tree, { op: "move", id: "gone", parent: null }, ctx));
});

test("[DT4] a node is removed with all that is in it, and a later change of one is discarded", () => {
  const tree = treeOf(node("a", null), node("b", "a"), node("c", "b"), node("d", null, "a1"));
  const { state, inverse } = done(tree, { op: "remove", id: "a" });
  assertEquals(Object.keys(state.nodes), ["d"]);
  assert(inverse !== undefined);
  assertEquals(done(state, inverse).state, treeOf(...Object.values(tree.nodes)));
  assertEquals(apply(state, { op: "update", id: "c" }, ctx), { discard: 'node "c" is gone' });
  assertEquals(apply(state, { op: "remove", id: "c" }, ctx), { discard: 'node "c" is gone' });
});

test("[DT5] the definition can refuse a node", () => {
  const Cards = treeDocument({
    name: "cards",
    vsn: 1,
    checkNode: ({ type, parent }, { nodes }) =>
      type === "card" && nodes[parent ?? ""]?.type === "card" ? "a card in a card" : undefined,
  });
  const tree = treeOf(node("a", null), node("b", null, "a1"));
  const put = Cards.spec.apply(tree, { op: "put", nodes: [node("c", "a")] }, ctx);
  assertEquals(put, { reject: "a card in a card" });
  const move = Cards.spec.apply(tree, { op: "move", id: "b", parent: "a" }, ctx);
  assertEquals(move, { reject: "a card in a card" });
  assertThrows(() => treeDocument({ name: "x", vsn: 1, checkNode: 1 as never }), /checkNode/);
});

/** Plain objects, as JSON gives them. */
const anyAttrs = fc.dictionary(fc.constantFrom("x", "y"), fc.integer(), { noNullPrototype: true });

/** Operations on a handful of ids, so that they meet. */
const anyOp: fc.Arbitrary<TreeOp> = fc.oneof(
  fc.record({
    op: fc.constant("put" as const),
    nodes: fc.array(
      fc.record({
        id: fc.constantFrom("a", "b", "c", "d", "e"),
        type: fc.constant("card"),
        attrs: anyAttrs,
        parent: fc.constantFrom(null, "a", "b", "c"),
        index: fc.constantFrom("a0", "a1", "a1V"),
      }, { requiredKeys: ["id", "type", "attrs", "parent"] }),
      { minLength: 1, maxLength: 3 },
    ),
  }) as fc.Arbitrary<TreeOp>,
  fc.record({
    op: fc.constant("update" as const),
    id: fc.constantFrom("a", "b", "c", "d", "e"),
    set: anyAttrs,
    unset: fc.subarray(["x"]),
  }),
  fc.record({
    op: fc.constant("move" as const),
    id: fc.constantFrom("a", "b", "c", "d", "e"),
    parent: fc.constantFrom(null, "a", "b", "c", "d"),
    index: fc.constantFrom("a0", "a1"),
  }, { requiredKeys: ["op", "id", "parent"] }) as fc.Arbitrary<TreeOp>,
  fc.record({ op: fc.constant("remove" as const), id: fc.constantFrom("a", "b", "c", "d", "e") }),
);

function sound(tree: Tree): boolean {
  return Object.entries(tree.nodes).every(([id, each]) => {
    const seen = new Set<string>();
    for (let at: TreeNode | undefined = each; at !== undefined;) {
      if (seen.has(at.id)) return false;
      seen.add(at.id);
      if (at.parent === null) return each.id === id && isKey(each.index);
      at = tree.nodes[at.parent];
    }
    return false;
  });
}

test("[DT6] whatever is asked for leaves a tree, and its stored form replays to the same", () => {
  fc.assert(fc.property(fc.array(anyOp, { maxLength: 40 }), (ops) => {
    let tree: Tree = { nodes: {} };
    let replayed: Tree = { nodes: {} };
    for (const op of ops) {
      const before = JSON.stringify(tree);
      const applied = apply(tree, op, ctx);
      assertEquals(JSON.stringify(tree), before);
      if (!("state" in applied)) continue;
      tree = applied.state;
      replayed = done(replayed, applied.op ?? op).state;
      assert(sound(tree), JSON.stringify(tree));
      const places = Object.values(tree.nodes).map(({ parent, index }) => `${parent} ${index}`);
      assertEquals(new Set(places).size, places.length);
    }
    assertEquals(replayed, tree);
  }));
});

test("[DT6] operations in a row come to the same as one by one, and leave the first tree as it was", () => {
  fc.assert(
    fc.property(
      fc.array(anyOp, { maxLength: 20 }),
      fc.array(anyOp, { maxLength: 40 }),
      (early, ops) => {
        let tree: Tree = { nodes: {} };
        for (const op of early) {
          const applied = apply(tree, op, ctx);
          if ("state" in applied) tree = applied.state;
        }
        const before = JSON.stringify(tree);
        const inRow = rowOf(Board.spec);
        const [first, answers] = [tree, [] as string[]];
        let row = tree;
        for (const op of ops) {
          const applied = apply(tree, op, ctx);
          answers.push(JSON.stringify(applied));
          if ("state" in applied) tree = applied.state;
          const same = inRow(row, op, ctx);
          assertEquals(JSON.stringify(same), answers.at(-1));
          if ("state" in same) row = same.state;
        }
        assertEquals(JSON.stringify(first), before);
      },
    ),
  );
});

test("[DT6] of operations in a row only the first copies the tree, unless nodes are judged", () => {
  const tree = treeOf(node("a", null), node("b", null, "a1"));
  const row = rowOf(Board.spec);
  let last = tree;
  const seen = new Set<object>();
  for (const id of ["a", "b", "a"]) {
    const applied = row(last, { op: "update", id, set: { id } }, ctx);
    if ("state" in applied) last = applied.state;
    seen.add(last.nodes);
  }
  assertEquals([seen.size, seen.has(tree.nodes)], [1, false]);
  const { spec } = treeDocument({ name: "judged", vsn: 1, checkNode: () => undefined });
  assertEquals(rowOf(spec), spec.apply);
});

test("[DT6] an operation followed by its inverse changes nothing", () => {
  let undone = 0;
  fc.assert(fc.property(fc.array(anyOp, { maxLength: 20 }), (ops) => {
    let tree = treeOf(node("a", null), node("b", "a"), node("c", "b"), node("d", null, "a1"));
    for (const op of ops) {
      const applied = apply(tree, op, ctx);
      if (!("state" in applied)) continue;
      if (applied.inverse !== undefined) {
        undone++;
        assertEquals(done(applied.state, applied.inverse).state, tree);
      }
      tree = applied.state;
    }
  }));
  assert(undone > 100, `only ${undone} inverses were tried`);
});

test("[DT7] the parts that operations touched bring an older tree to the present", () => {
  const both = fc.tuple(fc.array(anyOp, { maxLength: 20 }), fc.array(anyOp, { maxLength: 20 }));
  fc.assert(fc.property(both, ([early, late]) => {
    let tree: Tree = { nodes: {} };
    const run = (ops: readonly TreeOp[]) =>
      ops.flatMap((op) => {
        const applied = apply(tree, op, ctx);
        if (!("state" in applied)) return [];
        tree = applied.state;
        return [applied.op ?? op];
      });
    run(early);
    const older = tree;
    const names = new Set(run(late).flatMap((op) => parts?.touched(op) ?? []));
    const changed: Record<string, never> = {};
    const gone: string[] = [];
    for (const name of names) {
      const part = parts?.part(tree, name);
      if (part === undefined) gone.push(name);
      else changed[name] = part as never;
    }
    assertEquals(parts?.merge(older, changed, gone), tree);
  }));
});

test("[DT8] between any two keys there is another, and keys at the ends stay short", () => {
  fc.assert(fc.property(fc.array(fc.nat(), { maxLength: 200 }), (places) => {
    const keys: string[] = [];
    for (const place of places) {
      const at = place % (keys.length + 1);
      const key = keyBetween(keys[at - 1] ?? null, keys[at] ?? null);
      assert(isKey(key), key);
      keys.splice(at, 0, key);
      assert((keys[at - 1] ?? "") < key && (keys[at + 1] ?? "~") > key, key);
    }
  }));
  let last: string | null = null;
  let first: string | null = null;
  for (let count = 0; count < 10_000; count++) {
    last = keyBetween(last, null);
    first = keyBetween(null, first);
  }
  assert((last ?? "").length <= 5 && (first ?? "").length <= 5, `${first} ${last}`);
  assertThrows(() => keyBetween("a1", "a0"), /between/);
  assertThrows(() => keyBetween("a1", "a1"), /between/);
  for (const bad of ["", "a", "a10", "ä", "A00000000000000000000000000"]) {
    assertThrows(() => keyBetween(bad, null), /it is none/);
  }
});

test("[DT9] a tree on a server: put right, undone without bringing back what others removed", async () => {
  const w = world();
  const board = w.node().document(Board, "team");
  const card = { id: "a", type: "card", attrs: { n: 1 }, parent: null };
  const put = await w.finish(board.mutate({ op: "put", nodes: [card] }, { actor: "ada" }));
  assertEquals(put.status, "rectified");
  await w.finish(board.mutate({ op: "update", id: "a", set: { n: 2 } }, { actor: "ada" }));
  await w.finish(board.mutate({ op: "remove", id: "a" }, { actor: "bob" }));
  assertEquals((await w.finish(board.undo("ada"))).status, "discard");
  assertEquals(await w.finish(board.state()), { nodes: {} });
  assertEquals((await w.finish(board.undo("bob"))).status, "commit");
  assertEquals((await w.finish(board.state())).nodes["a"]?.attrs, { n: 2 });
  const history = await w.finish(board.history({ part: "a" }));
  assertEquals(history.length, 4);
});
