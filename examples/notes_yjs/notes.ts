/** What is kept: the notes, which are everybody's, and the name a browser has given itself. */
import { defineStash, type DocumentDefinition, type StashDefinition } from "holdfast";
import { yjsDocument, type YjsOp, type YjsState } from "holdfast/yjs";

/** Notes; their text is "body". */
export const Notes: DocumentDefinition<YjsState, YjsOp> = yjsDocument({ name: "notes" });

export interface Me {
  name: string;
}

/** Who a browser is, for as long as its session lives. */
export const Me: StashDefinition<Me> = defineStash<Me>({
  name: "me",
  vsn: 1,
  stored: ["name"],
  state: () => ({ name: "" }),
});
