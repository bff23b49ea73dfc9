/** What a board is: columns with cards in them, as a tree that many people change. */
import {
  childrenOf,
  type DocumentDefinition,
  keyBetween,
  type Tree,
  treeDocument,
  type TreeNode,
  type TreeOp,
} from "holdfast";

export const columns = [
  { id: "todo", title: "To do" },
  { id: "doing", title: "Under way" },
  { id: "done", title: "Done" },
] as const;

const maxCards = 200;

/** Three columns to begin with. */
function newBoard(): Tree {
  const nodes: Record<string, TreeNode> = {};
  let index: string | null = null;
  for (const { id, title } of columns) {
    index = keyBetween(index, null);
    nodes[id] = { id, type: "column", attrs: { title }, parent: null, index };
  }
  return { nodes };
}

/** Why a node cannot be on a board. */
function checkNode({ type, attrs, parent }: TreeNode, tree: Tree): string | undefined {
  if (type !== "card") return "only cards can be added and changed";
  const { title } = attrs;
  if (typeof title !== "string" || title === "" || title.length > 200) {
    return "a card has a title of 1 to 200 characters";
  }
  if (parent === null || tree.nodes[parent]?.type !== "column") return "a card is in a column";
  if (Object.keys(tree.nodes).length > maxCards) return `a board has at most ${maxCards} cards`;
  return undefined;
}

export const Board: DocumentDefinition<Tree, TreeOp> = treeDocument({
  name: "board",
  vsn: 1,
  state: newBoard,
  checkNode,
});

/**
 * The operation that puts a card at a place of a column.
 *
 * @param at Which place, from 0, among the others there.
 */
export function moveTo(tree: Tree, id: string, to: string, at: number): TreeOp {
  const others = childrenOf(tree, to).filter((card) => card.id !== id);
  const place = Math.min(Math.max(0, at), others.length);
  const index = keyBetween(others[place - 1]?.index ?? null, others[place]?.index ?? null);
  return { op: "move", id, parent: to, index };
}
