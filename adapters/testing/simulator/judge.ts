import { decodeId } from "../../../src/core/key.ts";
import type { ObjectSpec } from "../../../src/object/model.ts";
import { nameOf } from "./client.ts";
import type { CallRecord, Flush, History } from "./history.ts";
import { linearize, type Op, type Past, type Sighting, type Verdict } from "./linearizable.ts";
import { Model, snapshotOf, Unmodelled } from "./model.ts";

/** How many objects could be judged. */
export interface Judged {
  readonly checked: number;
  readonly unchecked: number;
}

/**
 * Judges what was answered and stored: the calls of each object must be explained by running its
 * handlers one after the other, and what was acknowledged must have been durable by then.
 *
 * @param specs Every definition that a node has served, by class.
 * @param tries How often an alarm is tried before it is parked.
 * @param shared Whether calls by way of one node may be run by others: which of them came first then
 * is not for this node to say.
 */
export async function judge(
  history: History,
  specs: ReadonlyMap<string, readonly ObjectSpec[]>,
  tries: number,
  shared: boolean,
): Promise<Judged> {
  const calls = groupBy(history.calls, ({ object }) => object);
  const objects = new Set([...calls.keys(), ...history.changes.keys()]);
  let checked = 0;
  for (const object of objects) {
    const [name = "", segment = ""] = object.split("/");
    const model = new Model(decodeId(segment) ?? "", specs.get(name) ?? [], tries);
    const past = pastOf(history, model, object, calls.get(object) ?? [], shared);
    const verdict = await verdictOn(past);
    if (verdict === undefined || verdict.kind === "undecided") continue;
    checked++;
    if (verdict.kind === "impossible") history.complain(`${object}: ${explain(verdict)}`);
  }
  return { checked, unchecked: objects.size - checked };
}

/** `undefined` if the handlers do what cannot be foretold. */
async function verdictOn(past: Past): Promise<Verdict | undefined> {
  try {
    return await linearize(past);
  } catch (error) {
    if (error instanceof Unmodelled) return undefined;
    throw error;
  }
}

function explain({ placed, state, stuck }: Extract<Verdict, { kind: "impossible" }>): string {
  const last = placed.slice(-4).join(", ");
  const after = placed.length === 0 ? "at the beginning" : `after ${last}`;
  return `no order of its calls explains it: ${after} it is ${state}, but ${stuck}`;
}

function pastOf(
  history: History,
  model: Model,
  object: string,
  calls: readonly CallRecord[],
  shared: boolean,
): Past {
  const flushes = history.flushes.filter((flush) => flush.object === object);
  const ops = new Map<CallRecord, Mutable>();
  for (const call of calls) {
    const op = opOf(model, call, flushes);
    if (op !== undefined) ops.set(call, op);
  }
  for (const [call, op] of ops) {
    if (!shared && isDefinite(op)) op.after.push(...earlier(call, ops));
  }
  return {
    initial: model.enter({ kind: "absent" }),
    ops: [...ops.values()],
    sightings: sightingsOf(history, model, object, ops),
    happenings: (state) => model.happenings(state),
  };
}

/** An operation whose predecessors are still being collected. */
type Mutable = Omit<Op, "after"> & { readonly after: Op[] };

function opOf(model: Model, call: CallRecord, flushes: readonly Flush[]): Mutable | undefined {
  const { spec, handler, outcome, arrived, fresh } = call;
  const found = handler === undefined ? undefined : spec?.handlers.get(handler);
  if (outcome === "refused" || arrived === undefined) return undefined;
  if (found?.readOnly && outcome !== "answered") return undefined;
  if (handler !== undefined && (spec === undefined || found === undefined)) return undefined;
  const early = spec?.durability === "behind" && !found?.readOnly && handler !== undefined;
  const to = outcome !== "answered" ? Infinity : early ? flushedAt(call, flushes) : call.to;
  return {
    name: nameOf(call),
    from: arrived,
    to,
    reply: outcome === "answered" && !early ? call.reply : undefined,
    after: [],
    mayLag: !fresh,
    apply: (state) =>
      spec === undefined || found === undefined
        ? model.end(state)
        : model.call(spec, found, call.args, state),
  };
}

/** A call that was answered early is durable for certain with the first flush that says so. */
function flushedAt(call: CallRecord, flushes: readonly Flush[]): number {
  const later = flushes.filter(({ node, from }) => node === call.node && from > call.to);
  const [first] = later.sort((a, b) => a.to - b.to);
  return first?.ok ? first.to : Infinity;
}

function isDefinite({ to }: Op): boolean {
  return to !== Infinity;
}

/** What came before a call in its own process, and what of that it must have seen. */
function earlier(call: CallRecord, ops: ReadonlyMap<CallRecord, Op>): readonly Op[] {
  const found: Op[] = [];
  for (const [other, op] of ops) {
    if (other === call || other.node !== call.node || !isDefinite(op)) continue;
    const over = op.to < (call.arrived ?? 0);
    const inRow = !call.inner && !other.inner && waitsItsTurn(call) && waitsItsTurn(other) &&
      (other.arrived ?? 0) < (call.arrived ?? 0);
    if (over || inRow) found.push(op);
  }
  return found;
}

function waitsItsTurn({ spec, handler, fresh }: CallRecord): boolean {
  return handler === undefined || fresh || !spec?.handlers.get(handler)?.readOnly;
}

/** What was stored, when it was stored and whenever something was answered. */
function sightingsOf(
  history: History,
  model: Model,
  object: string,
  ops: ReadonlyMap<CallRecord, Op>,
): readonly Sighting[] {
  const see = (record: string | undefined) => model.enter(snapshotOf(record));
  const changes = (history.changes.get(object) ?? []).map(({ at, before, after }) =>
    after === undefined
      ? { at, state: see(before), becomes: see(after) }
      : { at, state: see(after) }
  );
  const answers = [...ops].filter(([, op]) => isDefinite(op) && op.reply !== undefined)
    .map(([{ to, durable }]) => ({ at: to + 0.5, state: see(durable) }));
  return [...changes, ...answers].sort((a, b) => a.at - b.at);
}

function groupBy<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group === undefined) groups.set(key(item), [item]);
    else group.push(item);
  }
  return groups;
}
