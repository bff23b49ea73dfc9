import {
  commonNames,
  type CommonOptions,
  defineDocument,
  type DocumentOptions,
} from "../../src/document/definition.ts";
import type { Authorize, DocumentDefinition } from "../../src/document/model.ts";
import { Budget } from "./budget.ts";
import { applyYjs, costOfOp, emptyState, type YjsOp, type YjsState } from "./state.ts";
import { yjsVsn } from "../../src/document/yjs_vsn.ts";
import { checkKnown, named, type OptionNames } from "../../src/core/options.ts";

/** Options of {@linkcode yjsDocument}. */
export interface YjsDocumentOptions extends
  Pick<
    DocumentOptions<YjsState, YjsOp>,
    | "name"
    | "gracePeriodMs"
    | "snapshotIntervalMs"
    | "snapshotOps"
    | "historyOps"
    | "historyMs"
    | "maxDocumentBytes"
    | "maxUnsavedBytes"
  > {
  /** Tells who may join and write. What an update does it cannot tell. @default {everybody everything} */
  readonly authorize?: Authorize<YjsState, YjsOp>;
  /**
   * Largest update in bytes of its JSON, 1 to 1,048,576: what somebody pastes is one update.
   * @default {262144}
   */
  readonly maxOpBytes?: number;
}

const { vsn: _, ...optionNames }: OptionNames<CommonOptions> = commonNames;

/**
 * Defines a class of documents whose content is a Yjs document: shared text, lists and maps that
 * merge whatever order changes come in. Life, log, presence, rights and limits are those of every
 * document. It has no restore, and undo is the browser's `UndoManager`: content that was merged cannot
 * be taken back from outside.
 *
 * @param options What it is called, its rights and limits.
 * @returns The definition, for `holdfast.document()` and `documentSocket()`.
 * @throws {TypeError} If an option makes no sense.
 * @throws {RangeError} If a number is out of range.
 *
 * @example Notes, written to from the server
 * ```ts
 * import { createHoldfast } from "@holdfast/holdfast";
 * import { memoryStorage } from "@holdfast/holdfast/memory";
 * import { changeYjs, openYjs, yjsDocument } from "@holdfast/holdfast/yjs";
 * import { assertEquals } from "@std/assert";
 *
 * const Notes = yjsDocument({ name: "notes" });
 *
 * const secret = crypto.getRandomValues(new Uint8Array(32));
 * await using holdfast = createHoldfast({ storage: memoryStorage(), secrets: [secret] });
 * const notes = holdfast.document(Notes, "meeting");
 * await changeYjs(notes, (doc) => doc.getText("body").insert(0, "Kelp"));
 *
 * assertEquals(openYjs(await notes.state()).getText("body").toString(), "Kelp");
 * ```
 */
export function yjsDocument(
  options: YjsDocumentOptions,
): DocumentDefinition<YjsState, YjsOp> {
  checkKnown<YjsDocumentOptions>(options, optionNames, `define ${named("document", options)}`);
  const { authorize, maxOpBytes = 262_144, ...others } = options;
  const budget = new Budget();
  return defineDocument({
    ...others,
    vsn: yjsVsn,
    maxOpBytes,
    state: emptyState,
    apply: applyYjs,
    authorize: (access, state) => {
      // A former state cannot be put in the place of one that everybody merges into.
      if (access.what === "restore") return false;
      const { op, client, at } = access;
      const bearable = (allowed: boolean) => {
        if (allowed !== true || op === undefined) return allowed === true;
        // What the program itself does is its own affair.
        if (client !== undefined) budget.check(client, at);
        const { steps, soon } = costOfOp(state, op);
        if (client !== undefined) budget.charge(client, at, steps);
        return soon;
      };
      const allowed = authorize === undefined || authorize(access, state);
      return allowed instanceof Promise ? allowed.then(bearable) : bearable(allowed);
    },
  });
}
