/** A document that the killed processes write to: what is added twice is there twice. */
import { defineDocument } from "../../src/document/definition.ts";
import type { DocumentDefinition } from "../../src/document/model.ts";

export interface PadState {
  readonly log: readonly string[];
}

export interface PadOp {
  readonly add: string;
}

export const Pad: DocumentDefinition<PadState, PadOp> = defineDocument<PadState, PadOp>({
  name: "pad",
  vsn: 1,
  state: () => ({ log: [] }),
  apply: ({ log }, { add }) => ({ state: { log: [...log, add] } }),
  snapshotOps: 50,
  historyOps: 100,
});
