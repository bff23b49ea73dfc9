import { Idiomorph } from "idiomorph";
import type { Morph } from "../../src/client/dom/morph.ts";

const nothing = (): void => {};

/** Morphs with idiomorph. */
export const morph: Morph = (old, fresh, callbacks) => {
  // The focus is kept by whoever calls this, for all kinds of controls and by element.
  // Everything is said: the script that is served has no defaults.
  void Idiomorph.morph(old, fresh, {
    restoreFocus: false,
    head: { style: "none" },
    callbacks: {
      beforeNodeAdded: () => true,
      afterNodeMorphed: nothing,
      afterNodeRemoved: nothing,
      ...callbacks,
    },
  });
};
