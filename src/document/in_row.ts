import type { Applied, Apply, ApplyContext } from "./model.ts";

/** Applies one of several operations in a row. */
export type ApplyInRow<S, Op> = (
  state: S,
  op: Op,
  context: ApplyContext,
  owned: WeakSet<object>,
) => Applied<S, Op>;

/** By the `apply` of a definition. */
const known = new WeakMap<object, unknown>();

/**
 * Notes how a definition's operations are applied where nobody sees the states in between: what is in
 * `owned` was made on the way, and may be changed in place of a copy. An operation that is refused must leave it
 * as it was.
 */
export function noteInRow<S, Op>(apply: Apply<S, Op>, inRow: ApplyInRow<S, Op>): void {
  known.set(apply, inRow);
}

/** What applies operations in a row, beginning with a state that stays as it is: for one row only. */
export function rowOf<S, Op>({ apply }: { readonly apply: Apply<S, Op> }): Apply<S, Op> {
  // It was noted for an `apply` of the same types.
  const inRow = known.get(apply) as ApplyInRow<S, Op> | undefined;
  if (inRow === undefined) return apply;
  const owned = new WeakSet();
  return (state, op, context) => inRow(state, op, context, owned);
}
