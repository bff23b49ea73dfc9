/**
 * The inspector: what a process holds and does, on pages for operators, as live views mounted in the
 * application behind its own login. Needs `jose` and `valibot` from npm, as live views do.
 *
 * @module
 */
export type { InspectorAction, InspectorContext, InspectorVerdict } from "./access.ts";
export type { InspectedLive, InspectedSync } from "./desk.ts";
export {
  createInspector,
  type Inspector,
  type InspectorHandler,
  type InspectorOptions,
} from "./inspector.ts";
export type { Redact, Shown } from "./mask.ts";
