/** What the end of a document's connection asks for. */
export type DocumentClosing =
  | { readonly next: "retry"; readonly afterMs: number }
  | { readonly next: "replaced" }
  | { readonly next: "stop" };

/** Decides by the code with which the connection closed. */
export function afterDocumentClose(code: number): DocumentClosing {
  switch (code) {
    // Not allowed, deleted, or a page that does not fit the server.
    case 4400:
    case 4403:
    case 4410:
    case 4413:
    case 4426:
    // The runtime's own word for a frame that is too large, or not text.
    case 1009:
    case 1003:
      return { next: "stop" };
    case 4409:
      return { next: "replaced" };
    case 1013:
    case 4429:
      return { next: "retry", afterMs: 5000 };
    default:
      return { next: "retry", afterMs: 0 };
  }
}
