import { checkStorageKey, decodeId, encodeId } from "../../src/core/key.ts";

/** Where somebody is in the inspector. */
export type Place =
  | { readonly page: "overview" | "sessions" | "node" }
  | {
    readonly page: "objects" | "documents";
    /** Name of the class; `undefined` for whichever is first. */
    readonly class: string | undefined;
    /** What ids begin with. */
    readonly prefix: string;
    /** The id after which the list goes on. */
    readonly after: string | undefined;
  }
  | { readonly page: "object" | "document"; readonly class: string; readonly id: string };

const lists = { objects: "object", documents: "document" } as const;

/** Where a path and a query lead; `undefined` if nowhere. Never throws. */
export function placeOf(path: string, { pathname, searchParams }: URL): Place | undefined {
  if (pathname !== path && !pathname.startsWith(`${path}/`)) return undefined;
  const [page = "", name, segment, ...more] = pathname.slice(path.length + 1).split("/");
  if (more.length > 0) return undefined;
  if (name === undefined) {
    if (page === "") return { page: "overview" };
    if (page === "sessions" || page === "node") return { page };
    if (page === "objects" || page === "documents") return { page, ...listed(searchParams) };
    return undefined;
  }
  if (page !== "objects" && page !== "documents") return undefined;
  const id = decodeId(segment ?? "");
  return id === undefined || !isName(name) ? undefined : { page: lists[page], class: name, id };
}

function listed(query: URLSearchParams): {
  readonly class: string | undefined;
  readonly prefix: string;
  readonly after: string | undefined;
} {
  const name = query.get("class") ?? "";
  const prefix = query.get("id") ?? "";
  return {
    class: isName(name) ? name : undefined,
    // A longer one, or half a character, is the beginning of no id.
    prefix: prefix.length <= 512 && prefix.isWellFormed() ? prefix : "",
    after: decodeId(query.get("after") ?? ""),
  };
}

/** Whether a text can be the name of a class. */
function isName(text: string): boolean {
  try {
    return text.length <= 128 && !text.includes("/") && checkStorageKey(text) === text;
  } catch {
    return false;
  }
}

/** The address of one object or document. Ids are written as in keys: any text, and no dots alone. */
export function addressOf(
  path: string,
  kind: "object" | "document",
  { name, id }: { readonly name: string; readonly id: string },
): string {
  return `${path}/${kind}s/${name}/${encodeId(id)}`;
}
