/**
 * Yjs documents: what people write together goes through the same order, log and rights as every
 * other document, and merges as Yjs merges. Needs `yjs`.
 *
 * @module
 */
export { type ChangeOptions, changeYjs, openYjs } from "./content.ts";
export { yjsDocument, type YjsDocumentOptions } from "./definition.ts";
export type { YjsOp, YjsState } from "./state.ts";
