import type { JoinedFrame } from "../../live/protocol.ts";
import { mergeForm } from "../merge.ts";
import { controlsOf, entriesOf, idOf } from "./controls.ts";
import { formsIn, recoverEvent } from "./forms.ts";
import { emit, type Host, type LiveView, type Outgoing } from "./host.ts";
import { parseView } from "./parse.ts";

/** A join under way. */
interface Pass {
  readonly frame: JoinedFrame;
  /** Forms that have been looked at. */
  readonly seen: Set<string>;
  /** Forms the server was told of. */
  readonly told: string[];
  /** The form it is being told of now. */
  asking?: string | undefined;
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
  /** The form during whose recovery the view crashed: left out the next time. */
  #skip = "";

  constructor(view: LiveView, host: Host) {
    this.#view = view;
    this.#host = host;
  }

  start(frame: JoinedFrame): void {
    this.#pass = { frame, seen: new Set([this.#skip]), told: [] };
    this.#skip = "";
    this.#view.timers.set("recover", this.#host.timing.recoverMs, () => this.#finish());
    this.#next();
  }

  /** Before the first join, only what the user typed themselves is theirs. */
  get #editedOnly(): boolean {
    return this.#pass?.frame.mounts === 0 && this.#view.state.nav !== "resume";
  }

  #fresh(): readonly HTMLFormElement[] {
    return formsIn(parseView(this.#view.root, this.#view.state.html ?? ""));
  }

  #next(): void {
    const pass = this.#pass;
    if (pass === undefined) return;
    const fresh = this.#fresh();
    const late = this.#host.lateFor(this.#view);
    for (const form of formsIn(this.#view.root)) {
      const id = idOf(form);
      const name = recoverEvent(form);
      const twin = fresh.find((one) => idOf(one) === id);
      if (name === null || pass.seen.has(id) || !twin || recoverEvent(twin) !== name) continue;
      pass.seen.add(id);
      const now = this.#host.controls.formNow(form, this.#editedOnly);
      const mine = late?.unstored(now.mine, form, twin, pass.frame.status) ?? now.mine;
      const names = controlsOf(twin).map(({ name }) => name);
      const entries = mergeForm({ ...now, mine }, entriesOf(twin), names);
      if (entries === undefined) continue;
      pass.asking = id;
      this.#host.controls.claim(form, mine);
      const target = [...mine][0];
      const out = { type: "change", name, el: form, form, target, recover: true, entries } as const;
      return this.#view.event(out);
    }
    this.#finish();
  }

  /** A recovery event was answered. */
  told({ form, el }: Outgoing, ok: boolean): void {
    const pass = this.#pass;
    const id = idOf(form);
    if (!ok) emit(el, "recover-failed", { form: id });
    if (pass?.asking !== id) return;
    if (ok) pass.told.push(id);
    pass.asking = undefined;
    this.#next();
  }

  /** The connection, or the view, went down: all is tried again at the next join. */
  interrupt(): void {
    this.#view.timers.clear("recover");
    this.#pass = undefined;
  }

  /** The view crashed: if it was over a form, that one is left out the next time. */
  crashed(): void {
    const form = this.#pass?.asking;
    if (form === undefined) return;
    this.#skip = form;
    emit(document.getElementById(form) ?? this.#view.root, "recover-failed", { form });
  }

  #finish(): void {
    const pass = this.#pass;
    if (pass === undefined) return;
    const { root } = this.#view;
    this.#host.lateFor(this.#view)?.keep(formsIn(root), this.#fresh());
    this.interrupt();
    this.#view.recovered(pass.told, pass.frame.status);
  }
}
