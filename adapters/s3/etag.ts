/**
 * Reads the etag of an output, without its quotes.
 *
 * @throws {Error} If there is none: without it no later write can be conditional.
 */
export function readEtag({ ETag }: { readonly ETag?: string }): string {
  const etag = ETag?.replace(/^(?:W\/)?"(.*)"$/, "$1");
  if (etag === undefined || !isEtag(etag)) throw new Error("The answer has no etag");
  return etag;
}

/** Tells whether a text can be an etag; `*` would match any object. */
export function isEtag(text: string): boolean {
  return /^[\x21\x23-\x7e]+$/.test(text) && text !== "*";
}

/** Writes an etag as a server wants it. */
export function spell(etag: string, form: "quoted" | "unquoted"): string {
  return form === "quoted" ? `"${etag}"` : etag;
}
