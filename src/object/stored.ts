import { HoldfastError } from "../core/errors.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../core/json.ts";
import type { ParkedAlarm, ScheduledAlarm } from "./model.ts";

/** An alarm in the record of its object. */
export interface Alarm {
  /** When it is tried next, in ms since the epoch. */
  readonly at: number;
  /** When it was set to fire. */
  readonly scheduledAt: number;
  /** Which try that will be, from 1. */
  readonly attempt: number;
  /** Names its entry in the index: no two alarms share one. */
  readonly nonce: string;
}

/** What is stored of an object, its alarms by name. */
export interface View {
  /** The user's state; never mutated. */
  readonly user: JsonObject;
  readonly alarms: Readonly<Record<string, Alarm>>;
  readonly parked: Readonly<Record<string, Omit<ParkedAlarm, "name">>>;
}

/** A stored object, its state in the shape it was stored in. */
export interface StoredObject extends View {
  readonly vsn: number;
}

/** No alarms: one object for all that have none. */
export const none: Readonly<Record<string, never>> = Object.freeze({});

/**
 * Reads a record's state.
 *
 * @throws {HoldfastError} `ERR_CORRUPT_RECORD` if it is not one of an object.
 */
export function readObject(stored: JsonObject): StoredObject {
  const { vsn, state, alarms, parked } = stored;
  if (typeof vsn !== "number" || !isJsonObject(state)) throw corrupt();
  return {
    vsn,
    user: state,
    alarms: alarms === undefined ? none : readEach(alarms, readAlarm),
    parked: parked === undefined ? none : readEach(parked, readParked),
  };
}

/** The state of the record of an object. */
export function storeObject(vsn: number, { user, alarms, parked }: View): JsonObject {
  const stored: JsonObject = { vsn, state: user };
  // Plain data with numbers and text only; the interfaces have no index signature.
  if (!isEmpty(alarms)) stored["alarms"] = alarms as unknown as JsonValue;
  if (!isEmpty(parked)) stored["parked"] = parked as unknown as JsonValue;
  return stored;
}

/** The alarms in a record's state; what is not one is passed over. */
export function alarmsIn(stored: JsonObject | undefined): readonly Alarm[] {
  const alarms = stored?.["alarms"];
  if (!isJsonObject(alarms)) return [];
  return Object.values(alarms).flatMap((entry) =>
    isJsonObject(entry) ? readAlarm(entry) ?? [] : []
  );
}

/** The alarms of an object in order of time. */
export function listAlarms(alarms: View["alarms"]): readonly ScheduledAlarm[] {
  return Object.entries(alarms)
    .map(([name, { at, scheduledAt, attempt }]) => ({ name, at, scheduledAt, attempt }))
    .sort((a, b) => a.at - b.at || (a.name < b.name ? -1 : 1));
}

/** The parked alarms of an object in order of time. */
export function listParked(parked: View["parked"]): readonly ParkedAlarm[] {
  return Object.entries(parked)
    .map(([name, alarm]) => ({ name, ...alarm }))
    .sort((a, b) => a.parkedAt - b.parkedAt || (a.name < b.name ? -1 : 1));
}

function readEach<T>(
  stored: JsonValue,
  read: (entry: JsonObject) => T | undefined,
): Readonly<Record<string, T>> {
  if (!isJsonObject(stored)) throw corrupt();
  const all: Record<string, T> = {};
  for (const name of Object.keys(stored)) {
    const entry = stored[name];
    const value = isJsonObject(entry) ? read(entry) : undefined;
    if (value === undefined) throw corrupt();
    all[name] = value;
  }
  return all;
}

function readAlarm(entry: JsonObject): Alarm | undefined {
  const { at, scheduledAt, attempt, nonce } = entry;
  if (typeof at !== "number" || typeof scheduledAt !== "number") return undefined;
  if (typeof attempt !== "number" || typeof nonce !== "string") return undefined;
  return { at, scheduledAt, attempt, nonce };
}

function readParked(entry: JsonObject): View["parked"][string] | undefined {
  const { scheduledAt, parkedAt, attempts, error } = entry;
  if (typeof scheduledAt !== "number" || typeof parkedAt !== "number") return undefined;
  if (typeof attempts !== "number" || typeof error !== "string") return undefined;
  return { scheduledAt, parkedAt, attempts, error };
}

function isEmpty(record: object): boolean {
  for (const _ in record) return false;
  return true;
}

function corrupt(): HoldfastError {
  return new HoldfastError(
    "ERR_CORRUPT_RECORD",
    "Cannot use a stored object: it does not have the shape of one",
  );
}
