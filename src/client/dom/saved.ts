import { type Control, controlsOf, putState, stateOf } from "./controls.ts";

/** What a control held, to be put back into one like it. */
export interface Saved {
  readonly name: string;
  readonly type: string;
  /** Which of those with this name and type it is, from 0. */
  readonly nth: number;
  readonly state: string;
}

function twins(form: HTMLFormElement, like: { name: string; type: string }): Control[] {
  return controlsOf(form).filter(({ name, type }) => name === like.name && type === like.type);
}

/** Saves what some controls of a form hold; files and hidden ones are left out. */
export function saveControls(form: HTMLFormElement, controls: readonly Control[]): Saved[] {
  return controls.filter(({ type }) => !/hidden|file/.test(type)).map((control) => ({
    name: control.name,
    type: control.type,
    nth: twins(form, control).indexOf(control),
    state: stateOf(control),
  }));
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
