import { controlsIn, controlsOf, idOf } from "./controls.ts";
import type { Host, LatePort, LiveView } from "./host.ts";
import { formsIn, recoverEvent } from "./forms.ts";
import type { Stored } from "./stored.ts";
import { restoreControls, saveControls, type Saved } from "./saved.ts";

/** A form that was on the page but not in what the server rendered after the rejoin. */
interface LateForm {
  readonly name: string;
  readonly saved: readonly Saved[];
}

/** Keeps what was typed where there is no control for it at the moment, for the life of the page. */
export class Late implements LatePort {
  readonly #view: LiveView;
  readonly #host: Host;
  readonly #stored: Stored;
  /** Forms to be recovered when they are there again. */
  readonly #forms = new Map<string, LateForm>();
  /** Values of controls that vanished before the server had them, by form. */
  readonly #vanished = new Map<string, Saved[]>();

  constructor(view: LiveView, host: Host, stored: Stored) {
    this.#view = view;
    this.#host = host;
    this.#stored = stored;
  }

  unstored: LatePort["unstored"] = (mine, form, fresh, status) =>
    // A view that has recovered nothing, or less, says nothing newer.
    /recovered|migrated/.test(status) ? this.#stored.unstored(mine, form, fresh) : mine;

  keep(forms: readonly HTMLFormElement[], fresh: readonly HTMLFormElement[]): void {
    const there = fresh.map(idOf);
    const { controls, timing } = this.#host;
    this.#forms.clear();
    for (const form of forms) {
      const name = recoverEvent(form);
      const mine = controlsOf(form).filter((one) => controls.isMine(one, false));
      if (name !== null && mine.length > 0 && !there.includes(idOf(form))) {
        this.#forms.set(idOf(form), { name, saved: saveControls(form, mine) });
      }
    }
    this.#view.timers.set("late", timing.lateFormMs, () => this.#forms.clear());
  }

  vanished(element: Element): void {
    for (const control of controlsIn(element)) {
      const { form } = control;
      const id = idOf(form);
      if (form === null || !this.#host.controls.isDirty(control) || this.#forms.has(id)) continue;
      this.#vanished.set(id, [...this.#vanished.get(id) ?? [], ...saveControls(form, [control])]);
    }
  }

  appeared(): void {
    if (this.#vanished.size + this.#forms.size === 0) return;
    for (const form of formsIn(this.#view.root)) {
      const id = idOf(form);
      const late = this.#forms.get(id);
      const saved = [...this.#vanished.get(id) ?? [], ...late?.saved ?? []];
      this.forget(id);
      const left = restoreControls(form, saved, (control) => this.#host.controls.edit(control));
      if (left.length > 0) this.#vanished.set(id, left);
      if (late === undefined || late.name !== recoverEvent(form)) continue;
      const target = late.saved[0]?.name;
      this.#view.event({ type: "change", name: late.name, el: form, form, target, recover: true });
    }
  }

  forget(id: string): void {
    this.#vanished.delete(id);
    this.#forms.delete(id);
  }
}
