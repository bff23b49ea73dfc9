import { Doc } from "yjs";
import { encodeBase64url } from "../../src/core/base64url.ts";
import type { DocumentClient } from "../../src/document/client.ts";
import type { MutateAnswer, MutateOptions } from "../../src/document/model.ts";
import { fill, type YjsOp, type YjsState } from "./state.ts";
import { takeNumber } from "./numbers.ts";
import { wrongArgument } from "../../src/core/options.ts";

/**
 * Makes the content of a Yjs document readable.
 *
 * @param state As `state()`, `stateAt()` or a subscription gives it; not changed.
 * @param doc What it is put into, merged with what is there. @default {a new document}
 * @returns The document of Yjs; changing it changes nothing else.
 * @throws {TypeError} If there is no state.
 * @throws {HoldfastError} `ERR_CORRUPT_RECORD` if it is not the state of a Yjs document.
 */
export function openYjs(state: YjsState, doc: Doc = new Doc()): Doc {
  if (Array.isArray(state?.updates)) return fill(doc, state);
  throw wrongArgument("Cannot open a Yjs document: the state is not one of yjsDocument()");
}

/** Options of {@linkcode changeYjs}. */
export type ChangeOptions = Pick<MutateOptions, "actor">;

/**
 * Changes a Yjs document on the server. A process writes into a document under one number of Yjs, or as many as
 * it makes changes at the same time.
 *
 * @param document Which.
 * @param change Changes the content it is given, at once: one update comes of it.
 * @param options Who does it.
 * @returns What became of it: `discard` if nothing was changed.
 * @throws {TypeError} If `change` is asynchronous.
 * @throws What `change` and `document.mutate()` throw.
 *
 * @example A line that a robot adds
 * ```ts ignore
 * await changeYjs(notes, (doc) => doc.getText("body").insert(0, "Agenda\n"), { actor: "robot" });
 * ```
 */
export async function changeYjs(
  document: DocumentClient<YjsState, YjsOp>,
  change: (doc: Doc) => void,
  options: ChangeOptions = {},
): Promise<MutateAnswer<YjsOp>> {
  if (typeof document?.mutate !== "function") {
    throw wrongArgument("Cannot change a Yjs document: it is not what holdfast.document() made");
  }
  if (typeof change !== "function") {
    throw wrongArgument("Cannot change a Yjs document: the change is not a function");
  }
  const doc = openYjs(await document.state());
  const giveBack = takeNumber(document.id, doc);
  let update: Uint8Array | undefined;
  doc.on("update", (made: Uint8Array) => update = made);
  const result: unknown = doc.transact(() => change(doc));
  if (typeof (result as { then?: unknown } | undefined)?.then === "function") {
    throw new TypeError("Cannot change a Yjs document: the change is asynchronous");
  }
  if (update === undefined) {
    giveBack(false);
    return { status: "discard", reason: "nothing was changed" };
  }
  // Without an answer it is not given back: the change may be in the document, or come into it.
  const answer = await document.mutate({ update: encodeBase64url(update) }, options);
  giveBack(answer.status === "commit" || answer.status === "rectified");
  return answer;
}
