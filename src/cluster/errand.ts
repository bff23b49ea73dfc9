import type { CallOptions } from "../object/calls.ts";
import type { Errand, Operation } from "../object/router.ts";
import {
  type Answer,
  pack,
  packArgs,
  packError,
  unpackArgs,
  unpackError,
  type WireErrand,
} from "./wire.ts";

/** What somebody is told whose errand was done. */
export type Answered = Exclude<Answer, { readonly kind: "refused" }>;

/** What an errand needs of the objects it has come to. */
export interface ErrandObjects {
  /** Runs a call that another node has forwarded. */
  run(
    className: string,
    id: string,
    handler: string,
    args: readonly unknown[],
    options: CallOptions,
    chain: readonly string[],
  ): Promise<unknown>;
  /** Does something else with an object for another node, with an alarm if that is what it is about. */
  operate(
    operation: Exclude<Operation, "call">,
    className: string,
    id: string,
    alarm: string,
  ): Promise<unknown>;
}

/** Makes what crosses of an errand; throws `ERR_INVALID_VALUE` with the path of what it cannot carry. */
export function packErrand(errand: Errand): WireErrand {
  const { cls: { spec }, id, operation, handler, args, options, chain } = errand;
  return {
    className: spec.name,
    objectId: id,
    operation,
    handler,
    ...packArgs(`"${handler}" of object "${spec.name}"`, args),
    fresh: options.fresh === true,
    existing: options.existing === true,
    chain,
  };
}

/**
 * Does what an errand asks for; whatever that fails with is its answer.
 *
 * @param fresh On what the store holds now, also if the errand does not ask for that.
 */
export function runErrand(
  errand: WireErrand,
  objects: ErrandObjects,
  fresh = false,
): Promise<Answered> {
  const { className, objectId, operation, handler, chain } = errand;
  return answerOf(`${doing(operation, handler)} of object "${className}"`, () => {
    const args = unpackArgs(errand);
    const options = { fresh: errand.fresh || fresh, existing: errand.existing };
    return operation === "call"
      ? objects.run(className, objectId, handler, args, options, chain)
      : objects.operate(operation, className, objectId, handler);
  });
}

/** Makes what crosses of how something ends. */
export async function answerOf(what: string, run: () => Promise<unknown>): Promise<Answered> {
  try {
    const value = await run();
    if (value === undefined) return { kind: "reply" };
    return { kind: "reply", value: pack(`the reply of ${what}`, value) };
  } catch (error) {
    return { kind: "error", error: packError(error) };
  }
}

/** Names what is done, for messages. */
export function doing(operation: Operation, handler: string): string {
  if (operation === "call") return `"${handler}"`;
  return operation === "fire" ? `the alarm "${handler}"` : `the ${operation}`;
}

/** Ends as the errand has ended where it was run. */
export function settle(answer: Answered): unknown {
  if (answer.kind === "reply") return answer.value;
  throw unpackError(answer.error);
}
