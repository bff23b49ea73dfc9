import {
  answered,
  claimed,
  edited,
  type Edits,
  isDirty,
  submitted,
  untouched,
  visited,
} from "../edits.ts";
import { type Entry, withoutFiles } from "../entries.ts";
import type { FormNow } from "../merge.ts";

/** What a user types into or chooses from. */
export type Control = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement;

const selector = "input,textarea,select";

/** Tells a control from other elements; buttons are none. */
export function isControl(node: unknown): node is Control {
  return node instanceof Element && node.matches(selector) &&
    !/submit|button|reset|image/.test((node as Control).type);
}

/** The controls below an element, itself included. */
export function controlsIn(root: Element): readonly Control[] {
  return [root, ...root.querySelectorAll(selector)].filter(isControl);
}

/** The controls of a form, those elsewhere on the page that name it included. */
export function controlsOf(form: HTMLFormElement): readonly Control[] {
  return [...form.elements].filter(isControl);
}

/** The id of an element; a form's property of that name may be one of its controls. */
export function idOf(element: Element | null | undefined): string {
  return element?.getAttribute("id") ?? "";
}

/** The controls that change together: the radio buttons of one name, else the one. */
function groupOf(control: Control): readonly Control[] {
  const { form, name, type } = control;
  if (type !== "radio" || name === "") return [control];
  return (form === null ? controlsIn(document.body) : controlsOf(form))
    .filter((one) => one.type === type && one.name === name && one.form === form);
}

function isCheck(control: Control): control is HTMLInputElement {
  return control.type === "checkbox" || control.type === "radio";
}

export function isSelect(control: Control): control is HTMLSelectElement {
  return control instanceof HTMLSelectElement;
}

/** Tells whether a control holds something else than its HTML says, as after an autofill. */
function differs(control: Control): boolean {
  if (isSelect(control)) {
    const options = [...control.options];
    return options.some((option) => option.defaultSelected)
      ? options.some((option) => option.selected !== option.defaultSelected)
      : control.selectedIndex > 0;
  }
  if (isCheck(control)) return control.checked !== control.defaultChecked;
  // A range and a colour have a value without anybody having given them one.
  return !/hidden|range|color|file/.test(control.type) && control.value !== control.defaultValue;
}

/** What a control holds, as one text; undone by {@linkcode putState}. */
export function stateOf(control: Control): string {
  if (isSelect(control)) {
    return JSON.stringify([...control.selectedOptions].map(({ value }) => value));
  }
  return isCheck(control) ? control.checked ? "1" : "" : control.value;
}

/** Makes a control hold this; an option that is gone is added, and the select marked. */
export function putState(control: Control, state: string): void {
  if (isSelect(control)) {
    const chosen: readonly string[] = JSON.parse(state);
    const options = [...control.options];
    const gone = chosen.filter((value) => !options.some((option) => option.value === value));
    for (const value of gone) control.add(new Option(value, value));
    control.toggleAttribute("data-live-stale", gone.length > 0);
    for (const option of control.options) option.selected = chosen.includes(option.value);
  } else if (isCheck(control)) control.checked = state !== "";
  else if (control.type !== "file") control.value = state;
}

/** The entries of a form as it is now. */
export function entriesOf(form: HTMLFormElement, submitter?: HTMLElement | null): readonly Entry[] {
  return withoutFiles(new FormData(form, submitter));
}

/** A form for a control that is in none, which holds what that does. */
export function formFor(control: Control): HTMLFormElement {
  const form = document.createElement("form");
  const twin = control.cloneNode(true) as Control;
  form.append(twin);
  putState(twin, stateOf(control));
  return form;
}

/** How far along the edits of some controls were. */
export type Progress = ReadonlyMap<Control, number>;

/** Keeps in mind what the user did in which control. */
export class Controls {
  readonly #edits = new WeakMap<Control, Edits>();
  /** What a control held when an input event was last seen. */
  readonly #seen = new WeakMap<Control, string>();
  /** Waiting for a debounce. */
  readonly waiting: Set<Element> = new Set();
  /** In the middle of a composition. */
  composing: Element | undefined;

  of(control: Control): Edits {
    return this.#edits.get(control) ?? untouched;
  }

  /** The user edited it. */
  edit(control: Control): void {
    for (const one of groupOf(control)) this.#edits.set(one, edited(this.of(one)));
    this.#seen.set(control, stateOf(control));
  }

  /** Tells whether a `change` event brings something that no `input` event had. */
  isNews(control: Control): boolean {
    const seen = this.#seen.get(control);
    return seen === undefined ? differs(control) : seen !== stateOf(control);
  }

  visit(control: Control): void {
    this.#edits.set(control, visited(this.of(control)));
  }

  /** As if nobody had been in it. */
  forget(control: Control): void {
    this.#edits.delete(control);
    this.waiting.delete(control);
  }

  progress(controls: readonly Control[]): Progress {
    return new Map(controls.map((one) => [one, this.of(one).made]));
  }

  /**
   * An event that carried this has been answered.
   *
   * @returns The controls in which nothing has happened since.
   */
  answer(progress: Progress, type: string): Set<Control> {
    const after = type === "submit" ? submitted : answered;
    const still = new Set<Control>();
    for (const [control, made] of progress) {
      const edits = after(this.of(control), made);
      this.#edits.set(control, edits);
      if (edits.made === made) still.add(control);
    }
    return still;
  }

  isDirty(control: Control): boolean {
    return isDirty(this.of(control));
  }

  touchedNames(controls: readonly Control[]): readonly string[] {
    const touched = controls.filter((one) => this.of(one).touched && one.name !== "");
    return [...new Set(touched.map(({ name }) => name))];
  }

  /** Tells whether what a control holds is the user's. */
  isMine(control: Control, editedOnly: boolean): boolean {
    return !/hidden|file/.test(control.type) && control.name !== "" &&
      (this.of(control).mine || (!editedOnly && differs(control)));
  }

  /** @param editedOnly What a browser filled in by itself is not the user's. */
  formNow(form: HTMLFormElement, editedOnly: boolean): FormNow {
    const mine = controlsOf(form).filter((control) => this.isMine(control, editedOnly));
    return { entries: entriesOf(form), mine: new Set(mine.map(({ name }) => name)) };
  }

  /** What these controls hold is not to be overwritten by what the server makes of it. */
  claim(form: HTMLFormElement, names: ReadonlySet<string>): void {
    for (const one of controlsOf(form)) {
      if (names.has(one.name)) this.#edits.set(one, claimed(this.of(one)));
    }
  }

  /** Tells whether a patch must leave what a control holds alone. */
  isProtected(control: Control, released: ReadonlySet<Control>): boolean {
    const { type } = control;
    if (type === "hidden") return false;
    if (type === "file") return (control as HTMLInputElement).files?.length !== 0;
    return this.isDirty(control) || this.waiting.has(control) || this.composing === control ||
      control.validity.badInput ||
      (control === document.activeElement && !released.has(control) &&
        !control.hasAttribute("data-live-patch-focused"));
  }
}

/** Tells whether the HTML says nothing of what a control holds. */
export function saysNothing(control: Control): boolean {
  const { type, name, form, ownerDocument } = control;
  if (control.hasAttribute("data-live-patch-focused")) return false;
  if (isSelect(control)) {
    return ![...control.options].some(({ defaultSelected }) => defaultSelected);
  }
  if (control instanceof HTMLTextAreaElement) return control.defaultValue === "";
  if (type !== "radio") return !control.hasAttribute(type === "checkbox" ? "checked" : "value");
  // Of radio buttons one speaks for all.
  const chosen = ownerDocument.querySelectorAll<Control>(`[name="${CSS.escape(name)}"][checked]`);
  return ![...chosen].some((one) => one.form === form);
}
