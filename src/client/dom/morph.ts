import {
  type Control,
  type Controls,
  controlsIn,
  idOf,
  isControl,
  isSelect,
  putState,
  saysNothing,
  stateOf,
} from "./controls.ts";

/** What a morphing function asks before it acts; `false` leaves things as they are. */
export interface MorphCallbacks {
  beforeNodeMorphed(old: Node, fresh: Node): boolean;
  beforeNodeRemoved(old: Node): boolean;
  afterNodeAdded(added: Node): void;
  beforeAttributeUpdated(name: string, element: Element): boolean;
}

/** Turns the element `old` into what `fresh` is, keeping the nodes that can be kept. */
export type Morph = (old: Element, fresh: Element, callbacks: MorphCallbacks) => void;

/** What a morph of one view has to know. */
export interface MorphContext {
  readonly morph: Morph;
  readonly controls: Controls;
  /** Focused or not, these take what the server says: their submit has been answered. */
  readonly released: ReadonlySet<Control>;
  /** Buttons of a submit under way, and what they said before. */
  readonly locked: ReadonlyMap<Element, string | null>;
  /** Elements that have been scrolled. */
  readonly scrolled: Set<Element>;
  beforeUpdate(element: Element, fresh: Element): void;
  removed(element: Element): void;
}

/** Attributes that are put there by the client, and by no HTML. */
const ours = /^data-live-(?:pending|unsent|stale)$/;
const noise = ["focus", "blur", "focusin", "focusout", "input", "change"] as const;
const edges = "details,dialog";

/** What the server last said about `open`; the user opens and closes as well. */
const saidOpen = new WeakMap<Element, boolean>();

/** Takes down what the HTML says about `open`, before the user can have a say. */
export function noteOpen(root: Element): void {
  for (const element of [root, ...root.querySelectorAll(edges)]) {
    if (!saidOpen.has(element)) saidOpen.set(element, element.hasAttribute("open"));
  }
}

/** Opens or closes what the server has changed its mind about. */
function followOpen(old: Element, fresh: Element): void {
  const open = fresh.hasAttribute("open");
  if (saidOpen.get(old) === !open) old.toggleAttribute("open", open);
  saidOpen.set(old, open);
}

function hush(event: Event): void {
  event.stopImmediatePropagation();
}

/** The selection of a text control; others have none. */
function caretOf(element: Element): [number, number, "forward"] | undefined {
  const { selectionStart: start, selectionEnd: end, selectionDirection: direction } =
    element as HTMLInputElement;
  return typeof start === "number" ? [start, end as number, direction as "forward"] : undefined;
}

function refocus(active: Element, caret: ReturnType<typeof caretOf>): void {
  const to = active.isConnected ? active : active.id && document.getElementById(active.id);
  if (!(to instanceof HTMLElement)) return;
  if (document.activeElement !== to) to.focus({ preventScroll: true });
  if (caret !== undefined && String(caretOf(to)) !== String(caret)) {
    (to as HTMLInputElement).setSelectionRange(...caret);
  }
}

/** Controls that a morph leaves what they hold. */
interface Spared {
  /** Those it must, and what they hold. */
  readonly held: Map<Control, string>;
  /** Those it does if the new HTML says nothing of it either. */
  readonly mute: ReadonlySet<Control>;
}

/** Hidden or shown, a password is one control; what holds other values than text is another one. */
function kindOf({ type }: Control): string {
  return type.replace(/text|password|email|search|tel|url/, "");
}

/** A control is about to be patched: whether it is the same one, and left to the user. */
function matchControl(
  old: Control,
  fresh: Control,
  { held, mute }: Spared,
  context: MorphContext,
): void {
  if (fresh.name !== old.name || kindOf(fresh) !== kindOf(old)) {
    context.removed(old);
    context.controls.forget(old);
    held.delete(old);
  } else if (!held.has(old) && mute.has(old) && saysNothing(fresh)) held.set(old, stateOf(old));
}

function callbacksFor(
  root: Element,
  spared: Spared,
  context: MorphContext,
): MorphCallbacks {
  const { locked } = context;
  return {
    beforeNodeMorphed(old, fresh) {
      if (!(old instanceof Element) || !(fresh instanceof Element) || old === root) return true;
      if (old.hasAttribute("data-live-ignore") || locked.get(old)) return false;
      // Most of a page stays as it is; what a control holds may differ all the same.
      if (old.isEqualNode(fresh) && !old.closest("select") && controlsIn(old).length === 0) {
        return false;
      }
      if (isControl(old)) matchControl(old, fresh as Control, spared, context);
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
      if (
        element === root || ours.test(name) || (name === "open" && element.matches(edges)) ||
        (name === "aria-disabled" && locked.has(element)) ||
        element.getAttribute("data-live-keep")?.split(" ").includes(name)
      ) return false;
      const of = name === "selected" ? element.closest("select") : element;
      return !/^(?:value|checked|selected)$/.test(name) || !spared.held.has(of as Control);
    },
  };
}

/**
 * Takes away what no element of the new page can be matched with, which a morph would find out for
 * each by going through all its siblings: a list of others costs a thousandth.
 */
function clear(root: Element, fresh: Element, context: MorphContext): void {
  const ids = new Set([...fresh.querySelectorAll("[id]")].map(idOf));
  for (const element of root.querySelectorAll("[id]")) {
    const kept = [element, ...element.querySelectorAll("[id]")].some((one) => ids.has(idOf(one)));
    if (kept || element.closest("[data-live-ignore]")) continue;
    context.removed(element);
    // Not remove(): in a form that has a control of that name it is the control.
    element.replaceWith();
  }
}

/**
 * Brings a view to what the server rendered, except for what is the user's: what they typed, where
 * they are, and how far they have scrolled. What to protect is decided before the morph and by the
 * element, because the morph may move the focus, and nobody hears of the events it causes.
 */
export function morphView(root: Element, fresh: Element, context: MorphContext): void {
  const held = new Map<Control, string>();
  const mute = new Set<Control>();
  for (const control of controlsIn(root)) {
    if (saysNothing(control)) mute.add(control);
    if (context.controls.isProtected(control, context.released)) {
      held.set(control, stateOf(control));
    }
  }
  const active = document.activeElement;
  const caret = active && caretOf(active);
  const inside = active !== null && active !== root && root.contains(active);
  const scrolled = [...context.scrolled].map((element) =>
    [element, element.scrollTop, element.scrollLeft] as const
  );
  for (const type of noise) addEventListener(type, hush, true);
  try {
    clear(root, fresh, context);
    context.morph(root, fresh, callbacksFor(root, { held, mute }, context));
    for (const [control, state] of held) {
      // A select may have got back an option it had to be lent.
      if (isSelect(control) || stateOf(control) !== state) putState(control, state);
    }
    if (inside) refocus(active, caret ?? undefined);
    for (const [element, top, left] of scrolled) {
      if (!element.isConnected) context.scrolled.delete(element);
      else if (element.scrollTop !== top || element.scrollLeft !== left) {
        element.scrollTo(left, top);
      }
    }
  } finally {
    for (const type of noise) removeEventListener(type, hush, true);
  }
}
