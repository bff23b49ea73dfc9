import { alarmRetry } from "../../src/object/alarms.ts";
import type { AnyObjectDefinition } from "../../src/object/model.ts";
import { ObjectHost } from "../../src/object/objects.ts";
import type { Router } from "../../src/object/router.ts";
import type { EnginePorts } from "../../src/object/types.ts";
import type { HoldfastLimits } from "./limits.ts";
import { checkKnown, type OptionNames, outOfRange } from "../../src/core/options.ts";

/** How alarms are found and tried. */
export interface AlarmOptions {
  /**
   * Milliseconds between two looks for alarms that are due, 100 to 3,600,000: how late an alarm can
   * be whose object is not in this process. Alarms of objects that are fire at their time.
   * @default {5000}
   */
  readonly pollEveryMs?: number;
  /** Objects whose alarms run at the same time, 1 to 1000. @default {16} */
  readonly parallel?: number;
  /** How often an alarm is tried before it is parked, 1 to 1000. @default {10} */
  readonly tries?: number;
}

const alarmNames: OptionNames<AlarmOptions> = { pollEveryMs: true, parallel: true, tries: true };

/**
 * Puts the objects of a process together.
 *
 * @throws {RangeError} If a number of the alarms is out of range.
 */
export function objectHost(
  ports: EnginePorts,
  namespace: string,
  limits: HoldfastLimits,
  alarms: AlarmOptions = {},
  definitions: readonly AnyObjectDefinition[] = [],
  router?: Router,
): ObjectHost {
  const { mailbox, storageTimeoutMs, maxObjectBytes, maxObjects, callTimeoutMs } = limits;
  checkKnown(alarms, alarmNames, "create a holdfast", "alarms");
  const tries = checkTries(alarms.tries);
  const host = new ObjectHost(ports, {
    namespace,
    engine: { mailbox, storageTimeoutMs },
    maxObjectBytes,
    maxAwake: maxObjects,
    callTimeoutMs,
    poller: {
      pollEveryMs: inRange("pollEveryMs", alarms.pollEveryMs ?? 5000, 100, 3_600_000),
      parallel: inRange("parallel", alarms.parallel ?? 16, 1, 1000),
    },
    alarmRetry: { ...alarmRetry, tries },
  }, router);
  for (const definition of definitions) host.register(definition);
  return host;
}

/**
 * Checks how often an alarm is tried.
 *
 * @returns It, or the default.
 * @throws {RangeError} If it is out of range.
 */
export function checkTries(tries: number = alarmRetry.tries): number {
  return inRange("tries", tries, 1, 1000);
}

function inRange(name: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw outOfRange(
    `Cannot use alarm option "${name}": it is ${
      String(value)
    }, not a whole number from ${least} to ${most}`,
  );
}
