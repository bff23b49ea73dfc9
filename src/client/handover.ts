/** What a control held; see `dom/saved.ts`. */
export interface HandedControl {
  readonly name: string;
  readonly type: string;
  readonly row?: string;
  readonly nth: number;
  readonly state: string;
}

/** What a page leaves behind for the one that is loaded in its place, once. */
export interface Handover {
  /** Path and query of the page. */
  readonly url: string;
  /** The last `ref` given out. */
  readonly ref: number;
  /** Reloads in a row. */
  readonly reloads: number;
  readonly views: Readonly<Record<string, { readonly token: string; readonly mounts: number }>>;
  /** What the user typed, by form. */
  readonly forms: Readonly<Record<string, readonly HandedControl[]>>;
}

/** Reloads in a row after which the page is left as it is. */
export const mostReloads = 3;

const neverKept = /(?:^|\s)(?:one-time-code|(?:current|new)-password|cc-number|cc-csc)(?:\s|$)/;

/** Tells a control whose value is kept nowhere but in itself. */
export function isSecret(type: string, autocomplete: string): boolean {
  return type === "password" || neverKept.test(autocomplete);
}

/** Reads what was left behind, or `undefined` if it is not for this page. */
export function readHandover(text: string | null, url: string): Handover | undefined {
  try {
    const left: Handover | null = JSON.parse(text ?? "null");
    const whole = left !== null && typeof left.ref === "number" &&
      typeof left.reloads === "number" && typeof left.views === "object" &&
      typeof left.forms === "object";
    return whole && left.url === url ? left : undefined;
  } catch {
    return undefined;
  }
}
