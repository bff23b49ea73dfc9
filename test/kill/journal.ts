/** What the killed processes write to: an object that shows whether anything was lost or done twice. */
import { defineObject } from "../../src/object/definition.ts";
import type { ObjectContext, ObjectDefinition } from "../../src/object/model.ts";

export interface JournalState {
  /** Ids in the order they were added. */
  log: string[];
  /** Those that no alarm has settled yet. */
  due: string[];
  /** Those that one has. */
  settled: string[];
}

export interface JournalHandlers {
  add(ctx: ObjectContext<JournalState>, id: string): void;
  read(ctx: ObjectContext<JournalState>): JournalState;
}

/**
 * What is wrong on purpose, to see that it is found: answers before they are durable, or an addition
 * made twice now and then.
 */
export type Flaw = "none" | "early" | "twice";

export function journal(flaw: Flaw = "none"): ObjectDefinition<JournalState, JournalHandlers> {
  return defineObject({
    name: "journal",
    vsn: 1,
    state: (): JournalState => ({ log: [], due: [], settled: [] }),
    durability: flaw === "early" ? "behind" : "gated",
    handlers: {
      add({ state, schedule }, id: string) {
        state.log.push(id);
        state.due.push(id);
        schedule("settle", 0);
      },
      read: ({ state }) => state,
    },
    alarms: {
      settle({ state }) {
        state.settled.push(...state.due);
        state.due = [];
      },
    },
  });
}
