/** Compile-time tests: checked by `npm run check`, never executed. */
import * as v from "valibot";
import { defineDocument } from "../../src/document/definition.ts";
import type { DocumentClient, Membership } from "../../src/document/client.ts";
import type {
  AnyDocumentDefinition,
  Applied,
  ApplyContext,
  DocumentDefinition,
  LogEntry,
  MutateAnswer,
} from "../../src/document/model.ts";
import { treeDocument } from "../../src/document/tree.ts";
import type { Holdfast } from "../../mod.ts";

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true
  : false;
function holds<_T extends true>(): void {}

declare const holdfast: Holdfast;

interface State {
  readonly items: readonly string[];
}
type Op = { readonly kind: "add"; readonly item: string } | { readonly kind: "clear" };

// The state's type flows from state(), that of operations from apply().

const List = defineDocument({
  name: "list",
  vsn: 1,
  state: (): State => ({ items: [] }),
  apply(state, op: Op, ctx): Applied<State, Op> {
    holds<Same<typeof state, State>>();
    holds<Same<typeof ctx, ApplyContext>>();
    if (op.kind === "clear") return { state: { items: [] }, inverse: { kind: "clear" } };
    if (op.item === "") return { reject: "empty" };
    return { state: { items: [...state.items, op.item] } };
  },
  authorize({ op }, state) {
    holds<Same<typeof op, Op | undefined>>();
    holds<Same<typeof state, State>>();
    return op?.kind !== "clear";
  },
  parts: {
    touched: (op) => op.kind === "add" ? [op.item] : [],
    part: (state, name) => state.items.includes(name) ? name : undefined,
    merge: (state) => state,
  },
});
holds<Same<typeof List, DocumentDefinition<State, Op>>>();

// A schema says what operations are, too.

const Checked = defineDocument({
  name: "checked",
  vsn: 1,
  state: () => ({ count: 0 }),
  schema: v.object({ by: v.number() }),
  apply: (state, { by }) => ({ state: { count: state.count + by } }),
});
holds<Same<typeof Checked, DocumentDefinition<{ count: number }, { by: number }>>>();

// What callers see of a document is typed by its definition.

async function uses(): Promise<void> {
  const list = holdfast.document(List, "groceries");
  holds<Same<typeof list, DocumentClient<State, Op>>>();
  const answer = await list.mutate({ kind: "add", item: "kelp" });
  holds<Same<typeof answer, MutateAnswer<Op>>>();
  if (answer.status === "rectified") holds<Same<typeof answer.op, Op>>();
  if (answer.status === "rejected") holds<Same<typeof answer.reason, string>>();
  holds<Same<Awaited<ReturnType<typeof list.state>>, State>>();
  const entries: readonly LogEntry<Op>[] = await list.history({
    where: ({ op }) => op?.kind === "add",
  });
  void entries;
  const membership = await list.join({ deliver: () => true });
  holds<Same<typeof membership, Membership<State, Op>>>();

  // @ts-expect-error: no such operation
  await list.mutate({ kind: "remove" });
  // @ts-expect-error: something is missing
  await list.mutate({ kind: "add" });
  // @ts-expect-error: shared by everybody
  membership.state.items.push("");
}

// What apply() answers says what becomes of the operation.

defineDocument({
  name: "a",
  vsn: 1,
  state: () => ({ n: 0 }),
  // @ts-expect-error: a state is not an answer
  apply: (state, op: { by: number }) => ({ n: state.n + op.by }),
});
defineDocument({
  name: "a",
  vsn: 1,
  state: () => ({ n: 0 }),
  // @ts-expect-error: another state
  apply: (_, op: { by: number }) => ({ state: op.by }),
});
// @ts-expect-error: apply is not optional
defineDocument({ name: "a", vsn: 1, state: () => ({ n: 0 }) });

declare function register(definitions: readonly AnyDocumentDefinition[]): void;
register([List, Checked, treeDocument({ name: "tree", vsn: 1 })]);

export { uses };
