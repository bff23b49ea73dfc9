import type { Control, Controls } from "./controls.ts";
import { controlsIn, controlsOf, isSelect } from "./controls.ts";

/** What the HTML says that a control holds. */
function saidOf(control: Control): string {
  if (isSelect(control)) return String([...control.options].map((one) => one.defaultSelected));
  return control.defaultValue + (control as HTMLInputElement).defaultChecked;
}

/** What the HTML says of all controls of one name. */
function saysOf(form: HTMLFormElement, name: string): string {
  return JSON.stringify(controlsOf(form).filter((one) => one.name === name).map(saidOf));
}

/**
 * Knows which values of the user's the server has stored: these are its own from then on, and what it
 * says after a rejoin is newer. A value that was only answered is not, for it may be lost with the server.
 */
export class Stored {
  readonly #controls: Controls;
  /** How often a control had been edited when all that was answered was stored. */
  readonly #made = new WeakMap<Control, number>();
  /** What the HTML said of the controls of a name before the user had been in any of them. */
  readonly #before = new WeakMap<HTMLFormElement, Map<string, string>>();

  constructor(controls: Controls) {
    this.#controls = controls;
  }

  /** The user is about to change a control: to be told before anybody else is. */
  edits({ form, name }: Control): void {
    if (form === null) return;
    const before = this.#before.get(form) ?? new Map<string, string>();
    this.#before.set(form, before);
    const isMine = controlsOf(form).some((one) => one.name === name && this.#controls.of(one).mine);
    if (!isMine) before.set(name, saysOf(form, name));
  }

  /** All that the server has answered in here is stored. */
  saved(root: Element): void {
    for (const one of controlsIn(root)) {
      if (!this.#controls.isDirty(one)) this.#made.set(one, this.#controls.of(one).made);
    }
  }

  /**
   * Leaves out the names whose values the server had stored and of which it now says something that is
   * neither that nor what it said before the user came: another page was there.
   *
   * @param mine The names of a form whose values are the user's.
   * @param fresh The form as the server has just rendered it from what was stored.
   */
  unstored(
    mine: ReadonlySet<string>,
    form: HTMLFormElement,
    fresh: HTMLFormElement,
  ): ReadonlySet<string> {
    return new Set([...mine].filter((name) => {
      const before = this.#before.get(form)?.get(name);
      const isStored = controlsOf(form).every((one) =>
        one.name !== name || this.#made.get(one) === this.#controls.of(one).made
      );
      return !isStored || before === undefined || before === saysOf(fresh, name);
    }));
  }
}
