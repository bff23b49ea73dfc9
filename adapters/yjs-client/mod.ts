/**
 * Yjs documents in the browser: keeps a document of Yjs the same as that of the server and of everybody
 * else, over lost connections, deploys and reloads. Needs `yjs` and `y-protocols`.
 *
 * @module
 */
import { webRandom } from "../web/random.ts";
import { encodeBase64url } from "../../src/core/base64url.ts";
import { checkKnown, type OptionNames, wrongArgument } from "../../src/core/options.ts";
import { YjsConnection } from "./connection.ts";
import type { ConnectedYjs, YjsConnectOptions } from "./options.ts";

export type { ConnectedYjs, YjsConnectOptions, YjsSnapshot } from "./options.ts";
export type { DocumentStatus, KeptStore } from "../../src/client/document/options.ts";
export type { Transport, TransportEvents } from "../../src/client/dom/transport.ts";
export type { Timing } from "../../src/client/timing.ts";

/**
 * Connects a document of Yjs, and keeps it connected: what is changed in it is sent, what others change
 * comes into it. Any binding of an editor can be given the document and its awareness.
 *
 * @param options Which document, and where.
 * @returns The connection; close it when it is not needed any more.
 * @throws {TypeError} If an option makes no sense, or does not exist.
 *
 * @example With CodeMirror
 * ```ts ignore
 * import { connectYjs } from "@holdfast/holdfast/yjs-client";
 * import { yCollab } from "y-codemirror.next";
 * import { Doc } from "yjs";
 *
 * const notes = connectYjs({ doc: new Doc(), url: "/documents/notes/meeting" });
 * notes.awareness.setLocalStateField("user", { name: "Ada", color: "#0a7" });
 * const collaboration = yCollab(notes.doc.getText("body"), notes.awareness);
 * ```
 */
export function connectYjs(options: YjsConnectOptions): ConnectedYjs {
  const task = "connect a document of Yjs";
  checkKnown(options, optionNames, task);
  for (const name of ["doc", "url"] as const) {
    if (options[name] === undefined) throw wrongArgument(`Cannot ${task}: it needs "${name}"`);
  }
  return new YjsConnection(options, encodeBase64url(webRandom().bytes(18)));
}

const optionNames: OptionNames<YjsConnectOptions> = {
  doc: ".transact",
  url: "a string",
  awareness: ".setLocalState",
  keep: ".load",
  timing: "an object",
  open: "a function",
};
