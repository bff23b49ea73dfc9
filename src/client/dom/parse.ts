import { idOf } from "./controls.ts";

/**
 * Parses what a view renders, without touching the page: scripts in it never run and images are not
 * loaded. The element answered stands for the root and is in a document of its own, so that
 * controls find the form they name.
 */
export function parseView(root: Element, html: string): Element {
  const { body } = parsePage(`<body>${html}`);
  const fresh = body.ownerDocument.createElement(root.localName);
  fresh.id = root.id;
  fresh.append(...body.childNodes);
  body.append(fresh);
  return identify(fresh);
}

/** Parses a document. */
export function parsePage(html: string): Document {
  return new DOMParser().parseFromString(html, "text/html");
}

/**
 * Gives an id to what has a `data-live-key`, and to the named controls of a form with an id: elements
 * are matched by id, and a value must not end up in another field because one was put in before. Of
 * several with one name in one row only the first gets one: they are matched by their place (SPEC LC13).
 */
export function identify(root: Element): Element {
  const given = new Set<string>();
  const give = (selector: string, idFor: (element: Element) => string): void => {
    for (const element of root.querySelectorAll(selector)) {
      const id = idFor(element);
      if (!element.id && !given.has(id)) element.id = id;
      given.add(id);
    }
  };
  give("[data-live-key]", (element) => `${root.id}:${element.getAttribute("data-live-key")}`);
  give("form[id] :is(input,select,textarea)[name]", (element) => {
    const { name, type, value } = element as HTMLInputElement;
    // The form, or a row: the first of several may be taken away, then the next one is the first.
    const around = element.parentElement?.closest("[id]");
    return `${idOf(around)}:${name}${/radio|checkbox/.test(type) ? value : ""}`;
  });
  return root;
}
