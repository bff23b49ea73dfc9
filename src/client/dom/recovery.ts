import type { JoinedFrame } from "../../live/protocol.ts";
import type { Entry } from "../entries.ts";
import { mergeForm } from "../merge.ts";
import { controlsIn, entriesOf } from "./controls.ts";
import { emit, type Host, type LiveView, type Outgoing } from "./host.ts";
import { parseView } from "./parse.ts";
import { restoreControls, saveControls, type Saved } from "./saved.ts";

/** The event that tells the server what a form holds, or `undefined` if it is not to be told. */
export function recoverEvent(form: Element): string | undefined {
  const recover = form.getAttribute("data-live-recover");
  if (recover === "ignore" || form.getAttribute("id") === null) return undefined;
  return recover ?? form.getAttribute("data-live-change") ?? undefined;
}

/** A form that was on the page but not in what the server rendered after the rejoin. */
interface LateForm {
  readonly event: string;
  readonly saved: readonly Saved[];
}

/** A join under way. */
interface Pass {
  readonly frame: JoinedFrame;
  /** Forms that have been looked at. */
  readonly seen: Set<string>;
  /** Forms the server was told of. */
  readonly told: string[];
  /** The form it is being told of now. */
  asking?: { readonly id: string; readonly entries: readonly Entry[] };
}

/**
 * Tells the server, after it has rendered a view anew, what the forms on the page hold: in the
 * order of the document, one after the other, and only what it does not have already. The page
 * stays as it is until all is told, so that nothing flickers.
 */
export class Recovery {
  readonly #view: LiveView;
  readonly #host: Host;
  #pass: Pass | undefined;
  /** The form during whose recovery the view crashed: not tried the next time. */
  #skip: string | undefined;
  #late = new Map<string, LateForm>();
  /** Values of controls that vanished before the server had them, by form. */
  readonly #vanished = new Map<string, Saved[]>();

  constructor(view: LiveView, host: Host) {
    this.#view = view;
    this.#host = host;
  }

  start(_html: string, frame: JoinedFrame): void {
    const seen = new Set(this.#skip === undefined ? [] : [this.#skip]);
    this.#skip = undefined;
    this.#pass = { frame, seen, told: [] };
    this.#view.timers.set("recover", this.#host.timing.recoverMs, () => this.#finish());
    this.#next();
  }

  /** Before the first join, only what the user typed themselves is theirs. */
  get #editedOnly(): boolean {
    return this.#pass?.frame.mounts === 0 && this.#view.state.nav !== "resume";
  }

  #forms(): readonly HTMLFormElement[] {
    return [...this.#view.root.querySelectorAll<HTMLFormElement>("form[id]")];
  }

  #fresh(): Element {
    return parseView(this.#view.root, this.#view.state.html ?? "");
  }

  #next(): void {
    const pass = this.#pass;
    if (pass === undefined) return;
    const fresh = this.#fresh();
    for (const form of this.#forms()) {
      const id = form.getAttribute("id") ?? "";
      const name = recoverEvent(form);
      if (pass.seen.has(id) || name === undefined) continue;
      const twin = [...fresh.querySelectorAll<HTMLFormElement>("form[id]")]
        .find((one) => one.getAttribute("id") === id);
      if (twin === undefined || recoverEvent(twin) !== name) continue;
      pass.seen.add(id);
      const now = this.#host.controls.formNow(form, this.#editedOnly);
      const entries = mergeForm(now, entriesOf(twin));
      if (entries === undefined) continue;
      pass.asking = { id, entries };
      const target = [...now.mine][0];
      return this.#view.event({ type: "change", name, el: form, form, target, recover: true });
    }
    this.#finish();
  }

  /** What a recovery sends instead of what the form holds. */
  entriesFor(out: Outgoing): readonly Entry[] | undefined {
    const asking = this.#pass?.asking;
    return out.recover && asking?.id === out.form?.getAttribute("id") ? asking?.entries : undefined;
  }

  /** A recovery event was answered. */
  told({ form }: Outgoing, ok: boolean): void {
    const id = form?.getAttribute("id") ?? "";
    if (this.#pass?.asking?.id !== id) return;
    if (ok) this.#pass.told.push(id);
    else emit(form ?? this.#view.root, "recover-failed", { form: id });
    delete this.#pass.asking;
    this.#next();
  }

  /** The connection, or the view, went down. */
  interrupt(): void {
    this.#view.timers.clear("recover");
    this.#pass = undefined;
  }

  /** The view crashed: if it was over a form, that one is left out the next time. */
  crashed(): void {
    const id = this.#pass?.asking?.id;
    if (id === undefined) return;
    this.#skip = id;
    emit(document.getElementById(id) ?? this.#view.root, "recover-failed", { form: id });
  }

  #finish(): void {
    const pass = this.#pass;
    if (pass === undefined) return;
    this.#keepLate();
    this.interrupt();
    this.#view.recovered(pass.told, pass.frame.status);
  }

  /** Forms that the new page does not have are kept: it may show them in a moment. */
  #keepLate(): void {
    const fresh = this.#fresh();
    const there = new Set([...fresh.querySelectorAll("form[id]")].map(({ id }) => id));
    this.#late = new Map();
    for (const form of this.#forms()) {
      const id = form.getAttribute("id") ?? "";
      const event = recoverEvent(form);
      if (event === undefined || there.has(id)) continue;
      const { controls } = this.#host;
      const mine = controlsIn(form).filter((one) => controls.isMine(one, this.#editedOnly));
      if (mine.length > 0) this.#late.set(id, { event, saved: saveControls(form, mine) });
    }
    this.#view.timers.set("late", this.#host.timing.lateFormMs, () => this.#late.clear());
  }

  /** An element leaves the page: what was typed there and not told is kept. */
  vanished(element: Element): void {
    for (const control of controlsIn(element)) {
      const id = control.form?.getAttribute("id");
      if (!id || !this.#host.controls.isDirty(control) || this.#late.has(id)) continue;
      const [saved] = saveControls(control.form as HTMLFormElement, [control]);
      if (saved !== undefined) this.#vanished.set(id, [...this.#vanished.get(id) ?? [], saved]);
    }
  }

  /** After a patch: gives values back to controls that are there again. */
  appeared(): void {
    if (this.#vanished.size === 0 && this.#late.size === 0) return;
    for (const form of this.#forms()) {
      const id = form.getAttribute("id") ?? "";
      this.#giveBack(form, this.#vanished.get(id) ?? [], id);
      const late = this.#late.get(id);
      if (late === undefined) continue;
      this.#late.delete(id);
      if (recoverEvent(form) !== late.event) continue;
      this.#giveBack(form, late.saved, id);
      const target = late.saved[0]?.name;
      this.#view.event({
        type: "change",
        name: late.event,
        el: form,
        form,
        target,
        recover: true,
      });
    }
  }

  #giveBack(form: HTMLFormElement, saved: readonly Saved[], id: string): void {
    if (saved.length === 0) return;
    const { restored, left } = restoreControls(form, saved);
    for (const control of restored) this.#host.controls.edit(control);
    if (left.length > 0) this.#vanished.set(id, [...left]);
    else this.#vanished.delete(id);
  }

  /** A form was reset: nothing of it is kept. */
  forget(id: string): void {
    this.#vanished.delete(id);
    this.#late.delete(id);
  }
}
