import fc from "fast-check";
import { Doc } from "yjs";
import { yjsDocument, type YjsOp, type YjsState } from "../../adapters/yjs/mod.ts";
import type { Applied } from "../../mod.ts";

/** The definition that tests use. */
export const Notes: ReturnType<typeof yjsDocument> = yjsDocument({ name: "notes" });

/** A document nobody has written into. */
export const empty: YjsState = Notes.spec.state();

/** Applies an operation. */
export function edit(state: YjsState, op: YjsOp): Applied<YjsState, YjsOp> {
  return Notes.spec.apply(state, op, { actor: null, at: 0, seq: 1 });
}

/** The state after an operation; the same if it was not accepted. */
export function apply(state: YjsState, op: YjsOp): YjsState {
  const outcome = edit(state, op);
  return "state" in outcome ? outcome.state : state;
}

/** A change of the text: puts something in, or drops some characters. */
export type Edit =
  | { readonly at: number; readonly put: string }
  | { readonly at: number; readonly drop: number };

/** Some changes, one after the other. */
export const edits: fc.Arbitrary<Edit[]> = fc.array(
  fc.oneof(
    fc.record({ at: fc.nat(50), put: fc.string({ minLength: 1, maxLength: 8, unit: "grapheme" }) }),
    fc.record({ at: fc.nat(50), drop: fc.integer({ min: 1, max: 5 }) }),
  ),
  { maxLength: 4 },
);

/** A document of Yjs with a number that is not drawn. */
export function numbered(clientID: number): Doc {
  const doc = new Doc();
  doc.clientID = clientID;
  return doc;
}

/** Changes a document and answers with the updates that came of it. */
export function updatesOf(doc: Doc, changes: readonly Edit[]): readonly Uint8Array[] {
  const updates: Uint8Array[] = [];
  const hear = (update: Uint8Array) => void updates.push(update);
  doc.on("update", hear);
  const body = doc.getText("body");
  for (const change of changes) {
    const at = Math.min(change.at, body.length);
    if ("put" in change) body.insert(at, change.put);
    else body.delete(at, Math.min(change.drop, body.length - at));
  }
  doc.off("update", hear);
  return updates;
}

/** What the text of a document is. */
export function text(doc: Doc): string {
  return doc.getText("body").toString();
}
