import { answered, edited, type Edits, isDirty, submitted, untouched, visited } from "../edits.ts";
import { type Entry, withoutFiles } from "../entries.ts";
import type { FormNow } from "../merge.ts";

/** What a user types into or chooses from. */
export type Control = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement;

const buttons = new Set(["submit", "button", "reset", "image"]);

/** Tells a control from other elements; buttons are none. */
export function isControl(node: unknown): node is Control {
  return node instanceof HTMLTextAreaElement || node instanceof HTMLSelectElement ||
    (node instanceof HTMLInputElement && !buttons.has(node.type));
}

/** The controls below an element, itself included. */
export function controlsIn(root: ParentNode): readonly Control[] {
  const found = [...root.querySelectorAll("input,textarea,select")].filter(isControl);
  return isControl(root) ? [root, ...found] : found;
}

/** The controls of a form, those elsewhere on the page that name it included. */
export function controlsOf(form: HTMLFormElement): readonly Control[] {
  return [...form.elements].filter(isControl);
}

/** The controls that change together: the radio buttons of one name, else the one. */
export function groupOf(control: Control): readonly Control[] {
  if (control.type !== "radio" || control.name === "") return [control];
  const around = control.form === null
    ? controlsIn(control.getRootNode() as ParentNode)
    : controlsOf(control.form);
  return around.filter((one) =>
    one.type === "radio" && one.name === control.name && one.form === control.form
  );
}

function isCheck(control: Control): control is HTMLInputElement {
  return control.type === "checkbox" || control.type === "radio";
}

/** Tells whether a control holds something else than its HTML says, as after an autofill. */
export function differs(control: Control): boolean {
  if (control instanceof HTMLSelectElement) {
    const options = [...control.options];
    return options.some((option) => option.defaultSelected)
      ? options.some((option) => option.selected !== option.defaultSelected)
      : control.selectedIndex > 0;
  }
  if (isCheck(control)) return control.checked !== control.defaultChecked;
  // These have a value without anybody having given them one.
  if (control.type === "hidden" || control.type === "range" || control.type === "color") {
    return false;
  }
  return control.type !== "file" && control.value !== control.defaultValue;
}

/** What a control holds, as one text to compare. */
export function stateOf(control: Control): string {
  if (control instanceof HTMLSelectElement) {
    return JSON.stringify([...control.selectedOptions].map(({ value }) => value));
  }
  return isCheck(control) ? String(control.checked) : control.value;
}

/** The entries of a form as it is now. */
export function entriesOf(
  form: HTMLFormElement,
  submitter?: HTMLElement | null,
): readonly Entry[] {
  // A button of another form, or none, is refused by the constructor.
  return withoutFiles(new FormData(form, submitter?.isConnected ? submitter : null).entries());
}

/** How far along the edits of some controls were. */
export type Progress = ReadonlyMap<Control, number>;

/** Keeps in mind what the user did in which control. */
export class Controls {
  readonly #edits = new WeakMap<Control, Edits>();
  /** What a control held when an input event was last seen. */
  readonly #seen = new WeakMap<Control, string>();
  /** Waiting for a debounce. */
  readonly waiting: Set<Control> = new Set();
  /** In the middle of a composition. */
  composing: EventTarget | null = null;

  of(control: Control): Edits {
    return this.#edits.get(control) ?? untouched;
  }

  /** The user edited it; `false` if this has been seen already. */
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
    return new Map(controls.map((control) => [control, this.of(control).made]));
  }

  /** An event that carried this has been answered. */
  answer(progress: Progress, type: string): void {
    const after = type === "submit" ? submitted : answered;
    for (const [control, made] of progress) this.#edits.set(control, after(this.of(control), made));
  }

  isDirty(control: Control): boolean {
    return isDirty(this.of(control));
  }

  touchedNames(form: HTMLFormElement): readonly string[] {
    const names = controlsOf(form).filter((one) => this.of(one).touched).map(({ name }) => name);
    return [...new Set(names)].filter((name) => name !== "");
  }

  /** Tells whether what a control holds is the user's. */
  isMine(control: Control, editedOnly: boolean): boolean {
    if (control.type === "hidden" || control.type === "file" || control.name === "") return false;
    return this.of(control).mine || (!editedOnly && differs(control));
  }

  /** @param editedOnly What a browser filled in by itself is not the user's. */
  formNow(form: HTMLFormElement, editedOnly: boolean): FormNow {
    const mine = controlsOf(form).filter((control) => this.isMine(control, editedOnly));
    return { entries: entriesOf(form), mine: new Set(mine.map(({ name }) => name)) };
  }

  /** Tells whether a patch must leave what a control holds alone. */
  isProtected(control: Control, released: ReadonlySet<Control>): boolean {
    if (control.type === "hidden") return false;
    if (this.isDirty(control) || this.waiting.has(control) || this.composing === control) {
      return true;
    }
    if (control.type === "file") return (control as HTMLInputElement).files?.length !== 0;
    if (control.validity?.badInput) return true;
    return control === document.activeElement && !released.has(control) &&
      !control.hasAttribute("data-live-patch-focused");
  }
}
