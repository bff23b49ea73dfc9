import { defineObject, type ObjectOptions } from "../../src/object/definition.ts";
import type { Handler, ObjectContext, ObjectDefinition } from "../../src/object/model.ts";

export interface Counting {
  count: number;
  slept: number;
}

type Context = ObjectContext<Counting>;

/** What callers can do to it. */
export interface CountingHandlers {
  increment(ctx: Context, by?: number): number;
  get(ctx: Context): Counting;
  wait(ctx: Context, until: Promise<void>): Promise<void>;
  ring(ctx: Context, delayMs: number): void;
}

/** A counter with a life of its own. */
export function counterWith(
  options: Partial<ObjectOptions<Counting, Record<string, Handler<Counting>>>> = {},
): ObjectDefinition<Counting, CountingHandlers> {
  return defineObject({
    name: "counter",
    vsn: 1,
    state: (): Counting => ({ count: 0, slept: 0 }),
    handlers: {
      increment: ({ state }, by = 1) => state.count += by,
      get: ({ state }) => state,
      wait: (_, until: Promise<void>) => until,
      ring: ({ schedule }, delayMs: number) => schedule("ring", delayMs),
    },
    alarms: { ring: ({ state }) => void state.count++ },
    ...options as object,
  });
}
