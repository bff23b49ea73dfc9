import { choose } from "./saved.ts";
import { type Control, type Controls, controlsIn, isControl, stateOf } from "./controls.ts";

/** What a morphing function asks before it acts; `false` leaves things as they are. */
export interface MorphCallbacks {
  beforeNodeMorphed(old: Node, fresh: Node): boolean;
  beforeNodeRemoved(old: Node): boolean;
  afterNodeAdded(added: Node): void;
  beforeAttributeUpdated(name: string, element: Element, kind: "update" | "remove"): boolean;
}

/** Turns the element `old` into what `fresh` is, keeping the nodes that can be kept. */
export type Morph = (old: Element, fresh: Element, callbacks: MorphCallbacks) => void;

/** What a morph of one view has to know. */
export interface MorphContext {
  readonly morph: Morph;
  readonly controls: Controls;
  /** Focused or not, these take what the server says: their submit has been answered. */
  readonly released: ReadonlySet<Control>;
  /** Elements with an event under way that are not to be touched, or only in part. */
  readonly locked: ReadonlySet<Element>;
  /** Elements that have been scrolled. */
  readonly scrolled: Set<Element>;
  beforeUpdate(element: Element, fresh: Element): void;
  removed(element: Element): void;
}

/** Attributes that are put there by the client, and by no HTML. */
const ours = new Set(["data-live-pending", "data-live-unsent", "data-live-stale"]);
const noise = ["focus", "blur", "focusin", "focusout", "input", "change"] as const;
const edges = "details,dialog";

/** What the server last said about `open`; the user opens and closes as well. */
const saidOpen = new WeakMap<Element, boolean>();

/** Takes down what the HTML says about `open`, before the user can have a say. */
export function noteOpen(root: Element): void {
  const inside = [...root.querySelectorAll(edges)];
  for (const element of root.matches(edges) ? [root, ...inside] : inside) {
    saidOpen.set(element, element.hasAttribute("open"));
  }
}

function hush(event: Event): void {
  event.stopImmediatePropagation();
}

/** The selection of a text control; others have none, or throw when asked. */
function caretOf(element: Element | null): readonly [number, number, "forward"] | undefined {
  if (!(element instanceof HTMLInputElement || element instanceof HTMLTextAreaElement)) {
    return undefined;
  }
  const { selectionStart: start, selectionEnd: end, selectionDirection: direction } = element;
  return start === null || end === null ? undefined : [start, end, direction as "forward"];
}

interface Held {
  readonly control: Control;
  readonly state: string;
  readonly chosen?: readonly string[];
}

function hold(control: Control): Held {
  const state = stateOf(control);
  return control instanceof HTMLSelectElement
    ? { control, state, chosen: JSON.parse(state) }
    : { control, state };
}

/** Gives a control back what it held. */
function giveBack({ control, state, chosen }: Held): void {
  if (control.isConnected && stateOf(control) !== state) {
    if (chosen !== undefined) choose(control as HTMLSelectElement, chosen);
    else if (control.type === "checkbox" || control.type === "radio") {
      (control as HTMLInputElement).checked = state === "true";
    } else if (control.type !== "file") control.value = state;
  }
}

function refocus(active: Element, caret: ReturnType<typeof caretOf>): void {
  const to = active.isConnected ? active : active.id && document.getElementById(active.id);
  if (!(to instanceof HTMLElement)) return;
  if (document.activeElement !== to) to.focus({ preventScroll: true });
  const now = caretOf(to);
  if (caret !== undefined && now !== undefined && String(now) !== String(caret)) {
    (to as HTMLInputElement).setSelectionRange(...caret);
  }
}

/** Tells whether the HTML says nothing of what a control holds, neither before nor now. */
function saysNothing(old: Control, fresh: Control): boolean {
  if (old.hasAttribute("data-live-patch-focused")) return false;
  if (old instanceof HTMLTextAreaElement) return old.defaultValue + fresh.value === "";
  if (old instanceof HTMLSelectElement) {
    return ![...old.options, ...(fresh as HTMLSelectElement).options]
      .some(({ defaultSelected }) => defaultSelected);
  }
  if (old.type === "checkbox") return !old.defaultChecked && !fresh.hasAttribute("checked");
  // Of radio buttons one speaks for all.
  if (old.type === "radio" || old.type === "file") return false;
  return !old.hasAttribute("value") && !fresh.hasAttribute("value");
}

/** A control is about to be patched: whether it is the same one, and left to the user. */
function matchControl(
  old: Control,
  fresh: Node,
  held: Map<Element, Held>,
  context: MorphContext,
): void {
  if (!isControl(fresh)) return;
  if (fresh.name !== old.name || fresh.type !== old.type) {
    context.removed(old);
    context.controls.forget(old);
    held.delete(old);
  } else if (!held.has(old) && saysNothing(old, fresh)) held.set(old, hold(old));
}

function callbacksFor(
  root: Element,
  held: Map<Element, Held>,
  context: MorphContext,
): MorphCallbacks {
  return {
    beforeNodeMorphed(old, fresh) {
      if (!(old instanceof Element) || !isElement(fresh) || old === root) return true;
      if (old.hasAttribute("data-live-ignore")) return false;
      if (context.locked.has(old) && old.hasAttribute("data-live-disable-with")) return false;
      if (isControl(old)) matchControl(old, fresh, held, context);
      else if (old.matches(edges)) followOpen(old, fresh);
      context.beforeUpdate(old, fresh);
      return true;
    },
    beforeNodeRemoved(old) {
      if (old instanceof Element) context.removed(old);
      return true;
    },
    afterNodeAdded(added) {
      if (added instanceof Element) noteOpen(added);
    },
    beforeAttributeUpdated(name, element) {
      if (element === root || ours.has(name)) return false;
      if (name === "open" && element.matches(edges)) return false;
      if (name === "aria-disabled" && context.locked.has(element)) return false;
      if (element.getAttribute("data-live-keep")?.split(" ").includes(name)) return false;
      if (name === "value" || name === "checked") return !held.has(element);
      const select = name === "selected" && element.closest("select");
      return !select || !held.has(select);
    },
  };
}

function isElement(node: Node): node is Element {
  return node.nodeType === 1;
}

function followOpen(old: Element, fresh: Element): void {
  const open = fresh.hasAttribute("open");
  const said = saidOpen.get(old);
  if (said !== undefined && said !== open) old.toggleAttribute("open", open);
  saidOpen.set(old, open);
}

/**
 * Brings a view to what the server rendered, except for what is the user's: what they typed, where
 * they are, and how far they have scrolled. What to protect is decided before the morph and by the
 * element, because the morph may move the focus, and nobody hears of the events it causes.
 */
export function morphView(root: Element, fresh: Element, context: MorphContext): void {
  const held = new Map<Element, Held>();
  for (const control of controlsIn(root)) {
    if (context.controls.isProtected(control, context.released)) held.set(control, hold(control));
  }
  const active = document.activeElement;
  const inside = active !== null && active !== root && root.contains(active);
  const caret = inside ? caretOf(active) : undefined;
  const scrolled: (readonly [Element, number, number])[] = [];
  for (const element of context.scrolled) {
    if (!element.isConnected) context.scrolled.delete(element);
    else scrolled.push([element, element.scrollTop, element.scrollLeft]);
  }
  for (const type of noise) addEventListener(type, hush, true);
  try {
    context.morph(root, fresh, callbacksFor(root, held, context));
    held.forEach(giveBack);
    if (inside) refocus(active, caret);
    for (const [element, top, left] of scrolled) {
      if (element.scrollTop !== top) element.scrollTop = top;
      if (element.scrollLeft !== left) element.scrollLeft = left;
    }
  } finally {
    for (const type of noise) removeEventListener(type, hush, true);
  }
}
