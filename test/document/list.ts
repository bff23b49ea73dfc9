import type { DocumentClient, JoinOptions, Membership } from "../../src/document/client.ts";
import { defineDocument, type DocumentOptions } from "../../src/document/definition.ts";
import type { DocumentFrame } from "../../src/document/frame.ts";
import type { DocumentDefinition } from "../../src/document/model.ts";

/** The state of the documents that tests use. */
export interface List {
  readonly items: readonly string[];
}

/** What can be done to them. */
export type ListOp =
  | { readonly add: string }
  | { readonly remove: string }
  | { readonly fail: string };

/** The definition that tests use; a text is in it once, and is stored in small letters. */
export function listDocument(
  options: Partial<DocumentOptions<List, ListOp>> = {},
): DocumentDefinition<List, ListOp> {
  return defineDocument<List, ListOp>({
    name: "list",
    vsn: 1,
    state: () => ({ items: [] }),
    apply: ({ items }, op) => {
      if ("fail" in op) throw new Error(op.fail);
      if ("remove" in op) {
        const kept = items.filter((item) => item !== op.remove);
        if (kept.length === items.length) return { discard: "it is gone" };
        return { state: { items: kept }, inverse: { add: op.remove } };
      }
      if (op.add === "") return { reject: "it is empty" };
      const text = op.add.toLowerCase();
      if (items.includes(text)) return { discard: "it is there" };
      return {
        state: { items: [...items, text] },
        ...(text === op.add ? {} : { op: { add: text } }),
        inverse: { remove: text },
      };
    },
    ...options,
  });
}

/** A subscriber that notes what it is told. */
export interface Listener {
  readonly member: Membership<List, ListOp>;
  readonly frames: DocumentFrame[];
  /** What was added, by the operations it has heard of. */
  readonly added: () => readonly unknown[];
}

/** Subscribes to a document. */
export async function listen(
  document: DocumentClient<List, ListOp>,
  options: Partial<JoinOptions> = {},
): Promise<Listener> {
  const frames: DocumentFrame[] = [];
  const member = await document.join({
    deliver: (frame) => void frames.push(frame),
    ...options,
  });
  const added = () =>
    frames.flatMap((frame) => frame.t === "ops" ? frame.entries : [])
      .map(({ op }) => (op as { add?: string } | undefined)?.add);
  return { member, frames, added };
}
