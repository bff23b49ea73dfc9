import { type Control, controlsOf, idOf, putState, stateOf } from "./controls.ts";

/** What a control held, to be put back into one like it. */
export interface Saved {
  readonly name: string;
  readonly type: string;
  /** The row it was in, or its own id; absent in what an older page has handed over. */
  readonly row?: string;
  /** Which of those with this name and type in this row it is, from 0. */
  readonly nth: number;
  readonly state: string;
}

/** The nearest id at a control or around it, within its form: a row that is gone is not the next one. */
function rowOf(control: Control, form: HTMLFormElement): string {
  const named = control.closest("[id]");
  return named === null || named.contains(form) ? "" : idOf(named);
}

function twins(
  form: HTMLFormElement,
  like: { readonly name: string; readonly type: string; readonly row?: string | undefined },
): Control[] {
  return controlsOf(form).filter((one) =>
    one.name === like.name && one.type === like.type &&
    (like.row === undefined || rowOf(one, form) === like.row)
  );
}

/** Saves what some controls of a form hold; files and hidden ones are left out. */
export function saveControls(form: HTMLFormElement, controls: readonly Control[]): Saved[] {
  return controls.filter(({ type }) => !/hidden|file/.test(type)).map((control) => {
    const { name, type } = control;
    const row = rowOf(control, form);
    const nth = twins(form, { name, type, row }).indexOf(control);
    return { name, type, row, nth, state: stateOf(control) };
  });
}

/**
 * Puts back what was saved.
 *
 * @param took Told each control that took it.
 * @returns What found no control.
 */
export function restoreControls(
  form: HTMLFormElement,
  saved: readonly Saved[],
  took: (control: Control) => void,
): Saved[] {
  return saved.filter((one) => {
    const control = twins(form, one)[one.nth];
    if (control === undefined) return true;
    putState(control, one.state);
    took(control);
    return false;
  });
}
