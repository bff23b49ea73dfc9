/** What the end of a connection asks for. */
export type Closing =
  /** Connect again; `retry-later` after a while. */
  | "retry"
  | "retry-later"
  /** Get new tokens for the views: the old ones are no good. */
  | "refetch"
  /** Load the page again: this one fits no server. */
  | "reload"
  /** Stay away until the user does something here: another page has taken over. */
  | "wait"
  /** Give up. */
  | "fail";

// The numbers of `closeCode`, which would otherwise come along whole.
const special: Readonly<Record<number, Closing>> = {
  4401: "refetch",
  4404: "reload",
  4426: "reload",
  4409: "wait",
  4400: "fail",
  // 1009 is what the runtimes' own sockets say; sent again it would be too large again.
  4413: "fail",
  1009: "fail",
  1013: "retry-later",
  4429: "retry-later",
};

/** Decides by the code with which a connection closed. */
export function afterClose(code: number): Closing {
  return special[code] ?? "retry";
}
