/** The shortened idiomorph broken on purpose: what is there, once, and what is there instead. */
export const mutants: Readonly<Record<string, readonly [there: string, instead: string]>> = {
  "ids in an element do not make it match": ["if (ids.has(id)) return true;", ""],
  "an attribute that is gone stays": ["old.removeAttribute(name);", ""],
  "an attribute is changed that is not to be": ["if (!ignoreAttribute(one.name, old, ctx)) ", ""],
  "what is in a template stays": ["is.templateElement(old) && is.templateElement(fresh)", "false"],
  "an element that is needed later is thrown away": [
    "if (ctx.idMap.has(node)) moveBefore",
    "if (false) moveBefore",
  ],
  "what matches the next ones is taken": ["if (++more > 1) found = null;", ""],
  "the focus does not end the search": ["if (ctx.active.has(cursor)) break;", ""],
  "a typed value stays where there is none": ['old.value = "";', ""],
  "a typed value stays in a textarea": ["if (value !== old.value) old.value = value;", ""],
  "a ticked box stays ticked": ['syncBooleanAttribute(old, fresh, "checked", ctx);', ""],
  "a chosen option stays chosen": ['syncBooleanAttribute(old, fresh, "selected", ctx);', ";"],
  "an id that is there twice is matched": ["persistentIds.delete(id);", ""],
  "an element is taken for one of another kind": ["if (old.tagName === fresh.tagName) ", ""],
  "an element that has moved still counts where it was": [
    "removeElementFromAncestorsIdMaps(found, ctx);",
    "",
  ],
  "what was there is not put into a new element": [
    "const known = ctx.idMap.has(fresh);",
    "const known = false;",
  ],
  "nobody is told of what is taken away": ["ctx.callbacks.beforeNodeRemoved(node);", ""],
  "nobody is told of what is put in": ["ctx.callbacks.afterNodeAdded(made);", ""],
};

/** @throws Error if it has other text than it had: then the mutant is to be written anew. */
export function mutate(text: string, name: string): string {
  const [there, instead] = mutants[name] ?? ["", ""];
  const parts = text.split(there);
  if (parts.length !== 2) throw new Error(`Cannot break it: ${parts.length - 1} times ${there}`);
  return parts.join(instead);
}
