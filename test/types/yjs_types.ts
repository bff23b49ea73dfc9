/** Compile-time tests: checked by `npm run check`, never executed. */
import type { Doc } from "yjs";
import {
  changeYjs,
  openYjs,
  yjsDocument,
  type YjsOp,
  type YjsState,
} from "../../adapters/yjs/mod.ts";
import { connectYjs } from "../../adapters/yjs-client/mod.ts";
import {
  type DocumentDefinition,
  type Holdfast,
  type MutateAnswer,
  treeDocument,
} from "../../mod.ts";

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true
  : false;
function holds<_T extends true>(): void {}

declare const holdfast: Holdfast;

const Notes = yjsDocument({
  name: "notes",
  authorize: ({ actor, what }) => actor !== null && what !== "restore",
});
holds<Same<typeof Notes, DocumentDefinition<YjsState, YjsOp>>>();

async function uses(): Promise<void> {
  const notes = holdfast.document(Notes, "minutes");
  holds<Same<Awaited<ReturnType<typeof notes.state>>, YjsState>>();
  const doc = openYjs(await notes.state());
  holds<Same<typeof doc, Doc>>();
  const answer = await changeYjs(notes, (doc) => {
    holds<Same<typeof doc, Doc>>();
    doc.getText("body").insert(0, "kelp");
  }, { actor: "ada" });
  holds<Same<typeof answer, MutateAnswer<YjsOp>>>();

  const tree = holdfast.document(treeDocument({ name: "tree", vsn: 1 }), "a");
  // @ts-expect-error: no Yjs document
  await changeYjs(tree, () => {});
  // @ts-expect-error: a change is made at once
  await changeYjs(notes, (doc: string) => void doc);
  // @ts-expect-error: its operations are its own
  await notes.mutate({ kind: "add" });
}

// @ts-expect-error: how it is changed is for Yjs to say
yjsDocument({ name: "notes", apply: () => ({ reject: "" }) });
// @ts-expect-error: where it is, is needed
connectYjs({});

export { uses };
