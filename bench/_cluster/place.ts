import { defineObject } from "../../src/object/definition.ts";
import type { ObjectDefinition } from "../../src/object/model.ts";

/** The process this is. */
export const here: { name: string } = { name: "" };

interface Counted {
  count: number;
}

interface Handlers {
  where: { readOnly: true; run(ctx: { state: Counted }): string };
  echo: { readOnly: true; run(ctx: { state: Counted }, text: string): string };
  add(ctx: { state: Counted }): { readonly count: number; readonly by: string };
}

/** An object that says which process runs it. */
export const Place: ObjectDefinition<Counted, Handlers> = defineObject({
  name: "place",
  vsn: 1,
  state: (): Counted => ({ count: 0 }),
  handlers: {
    where: { readOnly: true, run: () => here.name },
    echo: { readOnly: true, run: (_, text: string) => text },
    add: ({ state }) => ({ count: ++state.count, by: here.name }),
  },
});
