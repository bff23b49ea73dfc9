/** For the compiler only: what TypeScript takes from a definition. */
import * as v from "valibot";
import type { AnyObjectDefinition, ObjectClient } from "../../src/object/model.ts";
import { defineObject } from "../../src/object/definition.ts";

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true
  : false;
function isTrue<_T extends true>(): void {}

const Counter = defineObject({
  name: "counter",
  vsn: 1,
  state: () => ({ count: 0, note: null as string | null }),
  handlers: {
    increment({ state }, by = 1) {
      state.count += by;
      return state.count;
    },
    async rename(ctx, note: string, times?: number) {
      ctx.state.note = note.repeat(times ?? 1);
      // @ts-expect-error: the state has no such field.
      ctx.state.missing;
      await Promise.resolve();
    },
    get: { readOnly: true, run: ({ state }) => state.note },
    checked: {
      args: v.tuple([v.number()]),
      run({ state }, by: number) {
        return { count: state.count + by };
      },
    },
  },
  alarms: {
    reset(ctx, { attempt }) {
      ctx.state.count = attempt;
      ctx.schedule("reset", 60_000);
    },
  },
  afterLoad({ state, now }) {
    state.count = now();
  },
});

declare const counter: ObjectClient<typeof Counter.handlers>;
isTrue<Same<typeof counter.increment, (by?: number) => Promise<number>>>();
isTrue<Same<typeof counter.rename, (note: string, times?: number) => Promise<void>>>();
isTrue<Same<typeof counter.get, () => Promise<string | null>>>();
isTrue<Same<typeof counter.checked, (by: number) => Promise<{ count: number }>>>();
isTrue<Same<typeof counter.flush, () => Promise<void>>>();
isTrue<Same<ReturnType<typeof Counter.state>, { count: number; note: string | null }>>();

// @ts-expect-error: the wrong argument.
counter.increment("1");
// @ts-expect-error: no such handler.
counter.missing();

declare function register(definitions: readonly AnyObjectDefinition[]): void;
register([Counter]);

defineObject({
  name: "caller",
  vsn: 1,
  state: () => ({ sum: 0 }),
  handlers: {
    async add({ state, call }, id: string) {
      const count = await call(Counter, id, "increment", 2);
      isTrue<Same<typeof count, number>>();
      // @ts-expect-error: no such handler.
      await call(Counter, id, "missing");
      // @ts-expect-error: the wrong argument.
      await call(Counter, id, "increment", "2");
      isTrue<Same<Awaited<ReturnType<typeof named>>, unknown>>();
      const named = () => call("counter", id, "increment", 1);
      state.sum += count;
    },
  },
});
