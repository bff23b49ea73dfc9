import { defineObject, type ObjectOptions } from "../../src/object/definition.ts";
import type {
  AlarmInfo,
  Handler,
  ObjectContext,
  ObjectDefinition,
  ScheduledAlarm,
} from "../../src/object/model.ts";

/** What has rung so far. */
export interface Rung {
  rung: string[];
}

type Context = ObjectContext<Rung>;

/** What callers can do to it. */
export interface BellHandlers {
  set(ctx: Context, name: string, when: number | Date): void;
  setAndFail(ctx: Context, name: string): never;
  cancel(ctx: Context, name: string): boolean;
  alarms(ctx: Context): readonly ScheduledAlarm[];
  rung(ctx: Context): string[];
}

/** A bell whose alarms note that they have rung, and do what else the options say. */
export function bell(
  options: Partial<ObjectOptions<Rung, Record<string, Handler<Rung>>>> = {},
): ObjectDefinition<Rung, BellHandlers> {
  const note = (name: string) => ({ state }: Context, { attempt }: AlarmInfo): void =>
    void state.rung.push(attempt === 1 ? name : `${name} ${attempt}`);
  return defineObject({
    name: "bell",
    vsn: 1,
    state: (): Rung => ({ rung: [] }),
    handlers: {
      set: ({ schedule }, name: string, when: number | Date) => schedule(name, when),
      setAndFail({ state, schedule }, name: string) {
        state.rung.push("never");
        schedule(name, 0);
        throw new Error("no");
      },
      cancel: ({ cancel }, name: string) => cancel(name),
      alarms: ({ alarms }) => alarms(),
      rung: ({ state }) => state.rung,
    },
    alarms: { a: note("a"), b: note("b"), c: note("c"), "né/ .. 🐚~": note("odd") },
    ...options as object,
  });
}
