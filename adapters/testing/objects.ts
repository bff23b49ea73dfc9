import type { Holdfast } from "../web/holdfast.ts";
import { equalJson, type JsonObject, type JsonValue, normalize } from "../../src/core/json.ts";
import type { AnyObjectDefinition, ScheduledAlarm } from "../../src/object/model.ts";
import type { FireReport, Objects } from "../../src/object/inventory.ts";
import { checkKnown, kindOf, wrongArgument } from "../../src/core/options.ts";

/** What the tools for tests need of a holdfast. */
export type WithObjects = Pick<Holdfast, "objects">;

/** What an alarm is expected to be like. */
export interface ExpectedAlarm {
  /** When it is set to fire: a date, or ms since the epoch. */
  readonly at?: Date | number;
}

/**
 * Fires one alarm of an object now, whatever its time, also a parked one.
 *
 * @param holdfast The root.
 * @param target The definition, or its name.
 * @param id The id of the object.
 * @param alarm The name of the alarm.
 * @throws What its handler throws; an `Error` if the alarm is not set.
 *
 * @example A reminder that nobody waits for
 * ```ts
 * import { createHoldfast, defineObject } from "@holdfast/holdfast";
 * import { memoryStorage } from "@holdfast/holdfast/memory";
 * import { assertAlarmScheduled, assertPersisted, fireAlarm } from "@holdfast/holdfast/testing";
 *
 * const Reminder = defineObject({
 *   name: "reminder",
 *   vsn: 1,
 *   state: () => ({ sent: 0 }),
 *   handlers: { start: ({ schedule }) => schedule("send", 24 * 60 * 60_000) },
 *   alarms: { send: ({ state }) => void state.sent++ },
 * });
 *
 * const secret = crypto.getRandomValues(new Uint8Array(32));
 * await using holdfast = createHoldfast({ storage: memoryStorage(), secrets: [secret] });
 * await holdfast.object(Reminder, "ann").start();
 * await assertAlarmScheduled(holdfast, Reminder, "ann", "send");
 * await fireAlarm(holdfast, Reminder, "ann", "send");
 * await assertPersisted(holdfast, Reminder, "ann", { sent: 1 });
 * ```
 */
export async function fireAlarm(
  holdfast: WithObjects,
  target: AnyObjectDefinition | string,
  id: string,
  alarm: string,
): Promise<void> {
  if (await objectsOf(holdfast).fire(target, id, alarm)) return;
  const { scheduled } = await objectsOf(holdfast).alarms(target, id);
  throw new Error(`Cannot fire alarm "${alarm}": ${describe(scheduled)}`);
}

/**
 * Fires everything that is due, and what that sets for now. Moves no clock.
 *
 * @returns How many alarms fired, and how many tries failed.
 */
export async function drainAlarms(holdfast: WithObjects): Promise<FireReport> {
  return await objectsOf(holdfast).fireDue();
}

/**
 * Asserts what is stored of an object.
 *
 * @param expected The state, as JSON; `undefined` for nothing stored; or a function that tells.
 * @throws {Error} If something else is stored: the message shows it.
 */
export async function assertPersisted(
  holdfast: WithObjects,
  target: AnyObjectDefinition | string,
  id: string,
  expected: object | undefined | ((state: JsonObject) => boolean),
): Promise<void> {
  const found = await stored(objectsOf(holdfast), target, id);
  if (expected === undefined || found === undefined) {
    if (expected === found) return;
  } else if (typeof expected === "function") {
    if ((expected as (state: JsonObject) => boolean)(found)) return;
  } else if (equalJson(found, asJson(expected))) {
    return;
  }
  const wanted = typeof expected === "function" ? "what was asked for" : JSON.stringify(expected);
  throw new Error(`Expected ${wanted} to be stored, found ${JSON.stringify(found)}`);
}

/**
 * Asserts that an alarm of an object is set.
 *
 * @throws {Error} If it is not, or for another time.
 */
export async function assertAlarmScheduled(
  holdfast: WithObjects,
  target: AnyObjectDefinition | string,
  id: string,
  alarm: string,
  expected: ExpectedAlarm = {},
): Promise<void> {
  checkKnown(expected, { at: true }, "expect an alarm");
  const { at } = expected;
  const { scheduled } = await objectsOf(holdfast).alarms(target, id);
  const found = scheduled.find(({ name }) => name === alarm);
  if (found !== undefined && (at === undefined || found.scheduledAt === Number(at))) return;
  const when = at === undefined ? "" : ` for ${new Date(at).toISOString()}`;
  throw new Error(`Expected alarm "${alarm}" to be set${when}: ${describe(scheduled)}`);
}

/**
 * Asserts that an alarm of an object is not set.
 *
 * @throws {Error} If it is.
 */
export async function refuteAlarmScheduled(
  holdfast: WithObjects,
  target: AnyObjectDefinition | string,
  id: string,
  alarm: string,
): Promise<void> {
  const { scheduled } = await objectsOf(holdfast).alarms(target, id);
  if (!scheduled.some(({ name }) => name === alarm)) return;
  throw new Error(`Expected alarm "${alarm}" not to be set: ${describe(scheduled)}`);
}

function objectsOf(holdfast: WithObjects): Objects {
  if (typeof holdfast?.objects?.fireDue === "function") return holdfast.objects;
  throw wrongArgument(`Cannot look after objects: ${kindOf(holdfast)} is no holdfast`);
}

async function stored(
  objects: Objects,
  target: AnyObjectDefinition | string,
  id: string,
): Promise<JsonObject | undefined> {
  return (await objects.peek(target, id))?.state;
}

function asJson(expected: object): JsonValue {
  const normal = normalize(expected, {
    limits: { maxBytes: 2 ** 26, maxDepth: 64, maxNodes: 2 ** 24 },
  });
  if (normal.ok) return normal.value;
  const { path = "", reason = "is invalid" } = normal.problems[0] ?? {};
  throw wrongArgument(`Cannot expect a state: "${path}" ${reason}`);
}

function describe(scheduled: readonly ScheduledAlarm[]): string {
  if (scheduled.length === 0) return "none is set";
  const each = scheduled.map(({ name, at }) => `"${name}" for ${new Date(at).toISOString()}`);
  return `set are ${each.join(", ")}`;
}
