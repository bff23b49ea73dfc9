import { isJsonObject, type JsonObject, type JsonValue } from "../core/json.ts";
import type { Present } from "./frame.ts";

/**
 * What nodes tell each other of a document. Nothing depends on it but speed: the log says what is
 * written, and whoever is here is told again before others forget it (SPEC CU14).
 */
export type DocumentNotice =
  /** The log goes up to a number. */
  | { readonly t: "wrote"; readonly key: string; readonly seq: number }
  /** Who came, changed and went on one node, or is still here. */
  | {
    readonly t: "presence";
    readonly key: string;
    /** Names the node, for as long as it lives. */
    readonly from: string;
    readonly set: Readonly<Record<string, Said>>;
    readonly gone: readonly string[];
  }
  /** A node has the document from now on, and wants to know who is here. */
  | { readonly t: "who"; readonly key: string };

/** What somebody says of themselves. */
export type Said = Pick<Present, "actor" | "data">;

/** Reads what another node tells; `undefined` if it is none of ours. */
export function readDocumentNotice(body: JsonValue): DocumentNotice | undefined {
  if (!isJsonObject(body) || typeof body["key"] !== "string") return undefined;
  const fine = body["t"] === "who" ||
    (body["t"] === "wrote" && Number.isSafeInteger(body["seq"])) ||
    (body["t"] === "presence" && isPresence(body));
  // Checked above, member by member.
  return fine ? body as unknown as DocumentNotice : undefined;
}

function isPresence({ from, set, gone }: JsonObject): boolean {
  return typeof from === "string" && Array.isArray(gone) &&
    gone.every((id) => typeof id === "string") && isJsonObject(set) &&
    Object.values(set).every((said) =>
      isJsonObject(said) && Object.hasOwn(said, "data") &&
      (said["actor"] === null || typeof said["actor"] === "string")
    );
}
