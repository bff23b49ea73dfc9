import { decodeId } from "../../src/core/key.ts";
import type { InspectorEvent } from "../../src/ports/telemetry.ts";
import { readForm } from "../live/body.ts";
import { refusal } from "../live/transport.ts";
import { mayPost, type OriginRules, tellRefused } from "../web/origin.ts";
import type { InspectorAction, InspectorContext, Judge, Judged } from "./access.ts";
import type { Desk } from "./desk.ts";
import { addressOf } from "./places.ts";

/** Largest form that is taken in, in bytes. */
const maxFormBytes = 16 * 1024;

/** What actions stand on. */
export interface ActionParts {
  readonly desk: Desk;
  readonly judge: Judge;
  readonly rules: OriginRules;
}

/** Something that was asked for, and can be done. */
interface Deed {
  readonly action: Exclude<InspectorAction, { readonly name: "view" }>;
  /** How telemetry calls what it is about. */
  readonly about: Pick<InspectorEvent, "ref" | "class">;
  /** Where to go when it is done. */
  readonly to: string;
  run(): Promise<unknown>;
  /** Whether the answer waits for it. */
  readonly waits: boolean;
}

/**
 * Does what a form asks for. It is taken from pages of this origin only, then from whom `authorize`
 * allows this very action, and told to telemetry either way.
 */
export async function act(
  { desk, judge, rules }: ActionParts,
  c: InspectorContext,
  name: "stop" | "drain",
): Promise<Response> {
  const { raw } = c.req;
  if (!mayPost(raw, rules)) {
    tellRefused(desk.parts.internals, "inspector", raw, rules);
    return refusal(403, "This origin may not post");
  }
  const fields = await readForm(raw, maxFormBytes);
  if (fields === undefined) return refusal(400, "A form is needed here");
  const form = new Map(fields);
  const deed = name === "stop" ? stop(desk, form) : drain(desk);
  if (deed === undefined) return refusal(400, "There is nothing like that here");
  const judged = await judge(c, deed.action);
  if (judged === undefined) {
    tell(desk, deed, judged, "refused");
    return refusal(403, "This is not allowed");
  }
  if (deed.action.name === "drain" && form.get("confirm") !== deed.action.node) {
    return seeOther(`${desk.parts.path}/node?done=unconfirmed`);
  }
  const done = deed.run().then(
    () => tell(desk, deed, judged, "done"),
    (error) => {
      tell(desk, deed, judged, "failed", error);
      throw error;
    },
  );
  if (deed.waits) await done;
  else done.catch(() => {});
  return seeOther(deed.to);
}

function stop(desk: Desk, form: ReadonlyMap<string, string>): Deed | undefined {
  const [kind, name = ""] = [form.get("kind"), form.get("class")];
  const id = decodeId(form.get("id") ?? "");
  if ((kind !== "object" && kind !== "document") || id === undefined) return undefined;
  const all = desk.inspection[`${kind}s`];
  if (!all.classes().some((one) => one.name === name)) return undefined;
  return {
    action: { name: "stop", kind, class: name, id },
    about: { ref: all.ref(name, id), class: name },
    to: `${addressOf(desk.parts.path, kind, { name, id })}?done=stopped`,
    run: () => {
      const { holdfast } = desk.parts;
      return kind === "object"
        ? holdfast.objects.stop(name, id)
        : desk.inspection.documents.stop(name, id);
    },
    waits: true,
  };
}

function drain(desk: Desk): Deed | undefined {
  const { node, path, lives } = desk.parts;
  if (lives.length === 0) return undefined;
  return {
    action: { name: "drain", node },
    about: { ref: "" },
    to: `${path}/node?done=draining`,
    run: () => Promise.all(lives.map((live) => live.drain())),
    // Pages may take half a minute to go.
    waits: false,
  };
}

function tell(
  { parts: { internals } }: Desk,
  { action, about }: Deed,
  judged: Judged,
  status: InspectorEvent["status"],
  error?: unknown,
): void {
  internals.emit?.({
    name: "holdfast.inspector.action",
    action: action.name,
    status,
    ...about,
    ...(judged?.operator === undefined ? {} : { operator: judged.operator }),
    ...(error === undefined ? {} : { error }),
  });
}

function seeOther(location: string): Response {
  return new Response(null, { status: 303, headers: { location } });
}
