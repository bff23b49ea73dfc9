import { type Control, controlsOf } from "./controls.ts";

/** What a control held, to be put back into one like it. */
export interface Saved {
  readonly name: string;
  readonly type: string;
  /** Which of those with this name and type it is, from 0. */
  readonly nth: number;
  /** The value; of a box or a radio button, the one that tells it from others. */
  readonly value: string;
  readonly checked?: boolean;
  readonly chosen?: readonly string[];
}

const neverKept = /(?:^|\s)(?:one-time-code|(?:current|new)-password|cc-number|cc-csc)(?:\s|$)/;

/** Tells a control whose value is kept nowhere but in itself. */
export function isSecret(control: Control): boolean {
  return control.type === "password" || neverKept.test(control.autocomplete);
}

function twins(form: HTMLFormElement, { name, type }: { name: string; type: string }): Control[] {
  return controlsOf(form).filter((one) => one.name === name && one.type === type);
}

/** Saves what some controls of a form hold; files and hidden ones are left out. */
export function saveControls(form: HTMLFormElement, controls: readonly Control[]): Saved[] {
  return controls.filter(({ type }) => type !== "file" && type !== "hidden").map((control) => ({
    name: control.name,
    type: control.type,
    nth: twins(form, control).indexOf(control),
    value: control.value,
    ...(control.type === "checkbox" || control.type === "radio"
      ? { checked: (control as HTMLInputElement).checked }
      : {}),
    ...(control instanceof HTMLSelectElement
      ? { chosen: [...control.selectedOptions].map(({ value }) => value) }
      : {}),
  }));
}

/** Chooses these options; one that is not there any more is added, and the select marked. */
export function choose(select: HTMLSelectElement, chosen: readonly string[]): void {
  const missing = chosen.filter((value) =>
    ![...select.options].some((option) => option.value === value)
  );
  for (const value of missing) select.add(new Option(value, value));
  select.toggleAttribute("data-live-stale", missing.length > 0);
  for (const option of select.options) option.selected = chosen.includes(option.value);
}

/**
 * Puts back what was saved.
 *
 * @returns The controls that took it, and what found no control.
 */
export function restoreControls(
  form: HTMLFormElement,
  saved: readonly Saved[],
): { readonly restored: readonly Control[]; readonly left: readonly Saved[] } {
  const restored: Control[] = [];
  const left: Saved[] = [];
  for (const one of saved) {
    const alike = twins(form, one);
    const control = one.checked === undefined
      ? alike[one.nth]
      : alike.find(({ value }) => value === one.value);
    if (control === undefined) left.push(one);
    else {
      restored.push(control);
      if (one.chosen !== undefined) choose(control as HTMLSelectElement, one.chosen);
      else if (one.checked !== undefined) (control as HTMLInputElement).checked = one.checked;
      else control.value = one.value;
    }
  }
  return { restored, left };
}
