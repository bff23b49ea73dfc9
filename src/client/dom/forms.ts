/** The event that tells the server what a form holds, or `null` if it is not to be told. */
export function recoverEvent(form: Element): string | null {
  const recover = form.getAttribute("data-live-recover");
  return recover === "ignore" ? null : recover ?? form.getAttribute("data-live-change");
}

/** The forms of a view that can be told from each other. */
export function formsIn(root: Element): readonly HTMLFormElement[] {
  return [...root.querySelectorAll<HTMLFormElement>("form[id]")];
}
