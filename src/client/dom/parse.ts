/**
 * Parses what a view renders, without touching the page: scripts in it never run and images are not
 * loaded. The element answered stands for the root and is in a document of its own, so that
 * controls find the form they name.
 */
export function parseView(root: Element, html: string): Element {
  const parsed = new DOMParser().parseFromString(`<body>${html}`, "text/html");
  const fresh = parsed.createElement(root.localName);
  fresh.id = root.id;
  fresh.append(...parsed.body.childNodes);
  parsed.body.append(fresh);
  return identify(fresh);
}

/**
 * Gives an id to what has a `data-live-key`, and to the named controls of a form with an id: elements
 * are matched by id, and a value must not end up in another field because one was put in before.
 */
export function identify(root: Element): Element {
  for (const element of root.querySelectorAll("[data-live-key]:not([id])")) {
    element.id = `${root.id}:${element.getAttribute("data-live-key")}`;
  }
  const given = new Set<string>();
  const named = "form[id] :is(input,select,textarea)[name]:not([id])";
  for (const element of root.querySelectorAll(named)) {
    const name = element.getAttribute("name");
    const type = element.getAttribute("type");
    const value = type === "radio" || type === "checkbox" ? element.getAttribute("value") : "";
    const id = `${element.closest("form")?.getAttribute("id")}:${name}:${value}`;
    if (!given.has(id)) element.id = id;
    given.add(id);
  }
  return root;
}
