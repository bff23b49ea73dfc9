/** Compile-time tests: checked by `npm run check`, never executed. */
import { Hono } from "hono";
import type { Sql } from "postgres";
import {
  createInspector,
  type InspectorAction,
  type InspectorContext,
} from "../../adapters/inspector/mod.ts";
import type { Live } from "../../adapters/live/mod.ts";
import type { Sync } from "../../adapters/postgres/mod.ts";
import type { Holdfast } from "../../mod.ts";

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true
  : false;
function holds<_T extends true>(): void {}

declare const holdfast: Holdfast;
declare const live: Live;
declare const sync: Sync<Sql>;

const inspector = createInspector(holdfast, {
  authorize(c, action) {
    holds<Same<typeof c, InspectorContext>>();
    holds<Same<typeof action, InspectorAction>>();
    const operator = c.req.header("x-operator");
    return operator === undefined || action.name === "drain" ? false : { operator };
  },
  live,
  sync,
});
createInspector(holdfast, { live: [live], authorize: () => Promise.resolve(true) });

// It is mounted in any Hono.
new Hono().all("/_holdfast/*", inspector.routes());
new Hono<{ Variables: { user: string } }>().all("/_holdfast/*", inspector.routes());

// @ts-expect-error: a verdict is true, or who it is
createInspector(holdfast, { authorize: () => "yes" });
// @ts-expect-error: no such action
createInspector(holdfast, { authorize: (_, action) => action.name === "explode" });
// @ts-expect-error: no options
createInspector(holdfast, true);
