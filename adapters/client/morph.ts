import { Idiomorph } from "idiomorph";
import type { Morph } from "../../src/client/dom/morph.ts";

const nothing = (): void => {};

/** Morphs with idiomorph. */
export const morph: Morph = (old, fresh, callbacks) => {
  void Idiomorph.morph(old, fresh, {
    morphStyle: "outerHTML",
    // Done by whoever calls this, for all kinds of controls and by element.
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
