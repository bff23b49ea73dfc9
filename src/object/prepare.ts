import { wrongArgument } from "../core/options.ts";
import { HoldfastError } from "../core/errors.ts";
import { copyJson, type JsonObject } from "../core/json.ts";
import { upgrade } from "../core/vsn.ts";
import { stateLimits } from "./change.ts";
import type { HandlerEnv, Subject } from "./context.ts";
import type { ObjectSpec } from "./model.ts";
import { checkState, perform, type Work } from "./perform.ts";
import { none, readObject, type View } from "./stored.ts";
import type { Effect } from "./types.ts";

/** What is stored of an object, ready for handlers. */
export interface Ready {
  readonly view: View;
  /** It is not what is stored: it has to be written, whatever the handler does. */
  readonly dirty: boolean;
  readonly effects: readonly Effect[];
}

/**
 * Makes what is stored fit the definition: migrates older state, adds what `state()` has gained,
 * drops what it has lost if told to. Adding and dropping alone is nothing that has to be written.
 *
 * @param stored The state of the record; `undefined` if there is none.
 * @throws {HoldfastError} `ERR_NEWER_VERSION`, `ERR_UNRECOVERED` or `ERR_CORRUPT_RECORD`: the stored
 * state is left as it is.
 */
export function fit(spec: ObjectSpec, stored: JsonObject | undefined): Ready {
  const defaults = defaultsOf(spec);
  if (stored === undefined) {
    return { view: { user: defaults, alarms: none, parked: none }, dirty: false, effects: [] };
  }
  const { vsn, user, alarms, parked } = readObject(stored);
  const { data, dirty } = upgraded(spec, vsn, user);
  const fitted = withDefaults(spec, data, defaults);
  return { view: { user: fitted, alarms, parked }, dirty, effects: [] };
}

function defaultsOf({ name, state }: ObjectSpec): JsonObject {
  const copied = copyJson(state(), { limits: stateLimits });
  if (copied.ok) return copied.value as JsonObject;
  const { path = "", reason = "is invalid" } = copied.problems[0] ?? {};
  throw wrongArgument(`Cannot make object "${name}": the default of "${path}" ${reason}`);
}

function upgraded(
  spec: ObjectSpec,
  vsn: number,
  data: JsonObject,
): { readonly data: JsonObject; readonly dirty: boolean } {
  const found = upgrade({ vsn, data }, spec.vsn, spec.migrate, stateLimits);
  switch (found.status) {
    case "kept":
      return { data: found.data, dirty: false };
    case "migrated":
      return { data: found.data, dirty: true };
    case "newer":
      throw new HoldfastError(
        "ERR_NEWER_VERSION",
        `Cannot use object "${spec.name}": a newer version of its definition wrote it, ` +
          `with vsn ${found.found}, and this one has vsn ${spec.vsn}`,
        { retryable: true },
      );
    case "discarded":
      throw new HoldfastError(
        "ERR_UNRECOVERED",
        `Cannot use object "${spec.name}": its state has vsn ${vsn}, and there is no migrate`,
      );
    case "failed":
      throw new HoldfastError(
        "ERR_UNRECOVERED",
        `Cannot use object "${spec.name}": migrating its state from vsn ${vsn} failed`,
        { cause: found.cause },
      );
  }
}

function withDefaults(
  { unknownFields }: ObjectSpec,
  data: JsonObject,
  defaults: JsonObject,
): JsonObject {
  const missing = Object.keys(defaults).some((key) => !Object.hasOwn(data, key));
  const unknown = unknownFields === "drop" &&
    Object.keys(data).some((key) => !Object.hasOwn(defaults, key));
  if (!missing && !unknown) return data;
  const fitted: JsonObject = { ...defaults, ...data };
  if (unknown) {
    for (const key of Object.keys(data)) if (!Object.hasOwn(defaults, key)) delete fitted[key];
  }
  return fitted;
}

/**
 * What a loaded object goes through before its first handler: it is made to fit, checked, and shown
 * to `afterLoad`.
 */
export async function prepare(
  env: HandlerEnv,
  subject: Subject,
  stored: JsonObject | undefined,
  work: Omit<Work, "run" | "args" | "readOnly">,
): Promise<Ready> {
  const { spec } = subject;
  const ready = fit(spec, stored);
  if (stored !== undefined) await checkState(spec, ready.view.user);
  if (spec.afterLoad === undefined) return ready;
  const run = { ...work, run: spec.afterLoad, args: [], readOnly: false };
  const { view, effects } = await perform(env, subject, ready.view, run);
  return { view, dirty: ready.dirty || view !== ready.view, effects };
}
