import { closeCode } from "../live/protocol.ts";

/** What the end of a connection asks for. */
export type Closing =
  /** Connect again, not before `afterMs`. */
  | { readonly next: "retry"; readonly afterMs: number }
  /** Get new tokens for the views: the old ones are no good. */
  | { readonly next: "refetch" }
  /** Load the page again: this one fits no server. */
  | { readonly next: "reload" }
  /** Stay away until the user does something here: another page has taken over. */
  | { readonly next: "wait" }
  /** Give up. */
  | { readonly next: "fail" };

const busy = 5000;

/** Decides by the code with which a connection closed. */
export function afterClose(code: number): Closing {
  switch (code) {
    case closeCode.unauthorized:
      return { next: "refetch" };
    case closeCode.unknownView:
    case closeCode.version:
      return { next: "reload" };
    case closeCode.replaced:
      return { next: "wait" };
    case closeCode.badMessage:
    case closeCode.tooLarge:
      return { next: "fail" };
    // 1013 is "try again later".
    case 1013:
    case closeCode.rate:
      return { next: "retry", afterMs: busy };
    default:
      return { next: "retry", afterMs: 0 };
  }
}
