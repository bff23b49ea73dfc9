/**
 * Documents in the browser: a replica that shows at once what the user does, sends it, and is brought
 * into the server's order; it goes on offline, over lost connections and over reloads. Without a
 * framework, and shaped so that each can take it.
 *
 * @module
 */
import type { ConnectedDocument, DocumentOptions } from "../../src/client/document/options.ts";
import { Connected } from "../../src/client/dom/connected_document.ts";
import { encodeBase64url } from "../../src/core/base64url.ts";
import { checkKnown, type OptionNames, wrongArgument } from "../../src/core/options.ts";
import { webRandom } from "../web/random.ts";

export type {
  ConnectedDocument,
  DocumentOptions,
  DocumentSnapshot,
  DocumentStatus,
  KeptStore,
} from "../../src/client/document/options.ts";
export type { ReplicaSpec } from "../../src/client/document/replica.ts";
export type { Transport, TransportEvents } from "../../src/client/dom/transport.ts";
export type { Timing } from "../../src/client/timing.ts";
export type { WireAnswer } from "../../src/document/wire.ts";
export type { Present } from "../../src/document/frame.ts";

/**
 * Connects a document, and keeps it connected.
 *
 * @param options Which, and where.
 * @returns The document; close it when it is not needed any more.
 * @throws {TypeError} If an option makes no sense, or does not exist.
 *
 * @example A board, in any framework that takes a store
 * ```ts ignore
 * import { connectDocument } from "@holdfast/holdfast/document-client";
 * import { Board } from "./board.ts";
 *
 * const board = connectDocument({ definition: Board, url: "/documents/board/team-7" });
 * board.subscribe(() => render(board.getSnapshot().state));
 * await board.mutate({ op: "update", id: "a", set: { title: "Kelp" } });
 * ```
 */
export function connectDocument<S, Op>(
  options: DocumentOptions<S, Op>,
): ConnectedDocument<S, Op> {
  checkKnown(options, optionNames, "connect a document");
  if (typeof options.definition?.spec?.apply !== "function") {
    throw wrongArgument('Cannot connect a document: "definition" is not one of defineDocument()');
  }
  if (options.url === undefined) throw wrongArgument('Cannot connect a document: it needs "url"');
  return new Connected(options, encodeBase64url(webRandom().bytes(18)));
}

const optionNames: OptionNames<DocumentOptions<unknown, unknown>> = {
  definition: "an object",
  url: "a string",
  keep: ".load",
  timing: "an object",
  open: "a function",
};
