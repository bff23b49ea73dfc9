// The idiomorph of the script that `npm run client` makes. `npm run prove -- morphs` holds it to the
// one it is made of.

/**
 * What the client never asks of idiomorph is left out of the script: documents, heads, text to parse,
 * the focus, defaults, callbacks, and its warnings. All else does what it does there, some of it in
 * fewer words.
 */
const trimmed = {
  morph: `(oldNode, newContent, config) {
    const ctx = createMorphContext(oldNode, newContent, config);
    morphNode(oldNode, newContent, ctx);
    ctx.pantry.remove();
  }`,
  morphOuterHTML: "() {}",
  saveAndRestoreFocus: "() {}",
  withHeadBlocking: "() {}",
  handleHeadElement: "() {}",
  mergeDefaults: "() {}",
  createMorphContext: `(target, newContent, { callbacks }) {
    const doc = target.ownerDocument;
    const pantry = doc.createElement("div");
    pantry.hidden = true;
    doc.documentElement.append(pantry);
    const active = new Set();
    for (let at = doc.activeElement; at; at = at.parentElement) active.add(at);
    return {
      ...createIdMaps(target, newContent),
      target,
      doc,
      callbacks,
      pantry,
      active,
    };
  }`,
  createPantry: "() {}",
  createActiveElementAndParents: "() {}",
  createIdMaps: `(old, fresh) {
    const oldIds = findIdElements(old);
    const freshIds = findIdElements(fresh);
    const persistentIds = createPersistentIds(oldIds, freshIds);
    const idMap = new Map();
    populateIdMapWithTree(idMap, persistentIds, old, oldIds);
    populateIdMapWithTree(idMap, persistentIds, fresh, freshIds);
    return { persistentIds, idMap };
  }`,
  populateIdMapWithTree: `(idMap, persistentIds, root, elements) {
    for (const { elt, id } of elements) {
      if (!persistentIds.has(id)) continue;
      for (let current = elt; current; current = current !== root && current.parentElement) {
        if (!idMap.has(current)) idMap.set(current, new Set());
        idMap.get(current).add(id);
      }
    }
  }`,
  findBestMatch: `(ctx, node, cursor) {
    let found;
    let next = node.nextSibling;
    let more = 0;
    for (; cursor; cursor = cursor.nextSibling) {
      if (isSoftMatch(cursor, node)) {
        if (isIdSetMatch(ctx, cursor, node)) return cursor;
        if (found === undefined && !ctx.idMap.has(cursor)) found = cursor;
      }
      if (found === undefined && next && isSoftMatch(cursor, next)) {
        next = next.nextSibling;
        // Two that match what comes next are left to it.
        if (++more > 1) found = null;
      }
      if (ctx.active.has(cursor)) break;
    }
    return found;
  }`,
  morphNode: `(oldNode, newContent, ctx) {
    if (!ctx.callbacks.beforeNodeMorphed(oldNode, newContent)) return oldNode;
    morphAttributes(oldNode, newContent, ctx);
    morphChildren(ctx, oldNode, newContent);
    return oldNode;
  }`,
  morphChildren: `(ctx, old, fresh) {
    if (is.templateElement(old) && is.templateElement(fresh)) {
      old = old.content;
      fresh = fresh.content;
    }
    let before = old.firstChild;
    for (const child of fresh.childNodes) {
      let match = before && findBestMatch(ctx, child, before);
      const id = is.element(child) && child.getAttribute("id");
      if (match) removeNodesBetween(ctx, before, match);
      else if (ctx.persistentIds.has(id)) match = moveBeforeById(old, id, before, ctx);
      if (match) morphNode(match, child, ctx);
      else match = createNode(old, child, before, ctx);
      before = match.nextSibling;
    }
    removeNodesBetween(ctx, before);
  }`,
  removeNodesBetween: `(ctx, cursor, end) {
    while (cursor && cursor !== end) {
      const node = cursor;
      cursor = cursor.nextSibling;
      removeNode(ctx, node);
    }
  }`,
  isIdSetMatch: `(ctx, old, fresh) {
    const ids = ctx.idMap.get(fresh);
    for (const id of ids && ctx.idMap.get(old) || []) if (ids.has(id)) return true;
    return false;
  }`,
  isSoftMatch: `(old, fresh) {
    const id = old.getAttribute?.("id");
    return old.nodeType === fresh.nodeType && old.tagName === fresh.tagName &&
      (!id || id === fresh.getAttribute("id"));
  }`,
  moveBeforeById: `(parent, id, before, ctx) {
    const selector = '[id="' + CSS.escape(id) + '"]';
    const found = ctx.target.querySelector(selector) || ctx.pantry.querySelector(selector);
    removeElementFromAncestorsIdMaps(found, ctx);
    moveBefore(parent, found, before);
    return found;
  }`,
  findIdElements: `(root) {
    return [root, ...root.querySelectorAll("[id]")]
      .map((elt) => ({ elt, id: elt.getAttribute("id") }))
      .filter(({ id }) => id);
  }`,
  createNode: `(parent, fresh, before, ctx) {
    const known = ctx.idMap.has(fresh);
    const made = known
      ? ctx.doc.createElementNS(fresh.namespaceURI, fresh.localName)
      : ctx.doc.importNode(fresh, true);
    parent.insertBefore(made, before);
    if (known) morphNode(made, fresh, ctx);
    ctx.callbacks.afterNodeAdded(made);
    return made;
  }`,
  removeNode: `(ctx, node) {
    if (node === ctx.pantry) return;
    if (ctx.idMap.has(node)) moveBefore(ctx.pantry, node, null);
    else {
      ctx.callbacks.beforeNodeRemoved(node);
      node.parentNode?.removeChild(node);
    }
  }`,
  moveBefore: `(parent, element, after) {
    try {
      parent.moveBefore(element, after);
    } catch {
      parent.insertBefore(element, after);
    }
  }`,
  morphAttributes: `(old, fresh, ctx) {
    if (fresh.nodeType === 1) {
      for (const one of fresh.attributes) {
        if (old.getAttribute(one.name) === one.value) continue;
        // A clone, because no name is refused then.
        if (!ignoreAttribute(one.name, old, ctx)) old.setAttributeNode(one.cloneNode(true));
      }
      for (const { name } of [...old.attributes].reverse()) {
        if (fresh.hasAttribute(name) || ignoreAttribute(name, old, ctx)) continue;
        old.removeAttribute(name);
      }
      if (old.tagName === fresh.tagName) syncInputValue(old, fresh, ctx);
    } else if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
  }`,
  syncInputValue: `(old, fresh, ctx) {
    const { value } = fresh;
    if (is.optionElement(old)) syncBooleanAttribute(old, fresh, "selected", ctx);
    else if (is.textAreaElement(old)) {
      if (ignoreAttribute("value", old, ctx)) return;
      if (value !== old.value) old.value = value;
      const text = old.firstChild;
      if (text && text.nodeValue !== value) text.nodeValue = value;
    } else if (is.inputElement(old) && fresh.type !== "file") {
      syncBooleanAttribute(old, fresh, "checked", ctx);
      syncBooleanAttribute(old, fresh, "disabled", ctx);
      if (!fresh.hasAttribute("value")) {
        if (ignoreAttribute("value", old, ctx)) return;
        old.value = "";
        old.removeAttribute("value");
      } else if (old.value !== value && !ignoreAttribute("value", old, ctx)) {
        old.setAttribute("value", value);
        old.value = value;
      }
    }
  }`,
  syncBooleanAttribute: `(old, fresh, name, ctx) {
    const is = fresh[name];
    if (is === old[name] || ignoreAttribute(name, old, ctx)) return;
    old[name] = is;
    old.toggleAttribute(name, is);
  }`,
  ignoreValueOfActiveElement: "() {}",
  ignoreAttribute: `(name, element, ctx) {
    return !ctx.callbacks.beforeAttributeUpdated(name, element);
  }`,
};

/** Elements of other windows, which the original knows as well, there are none. */
const kinds = `
  const html = (value, name) => value instanceof HTMLElement && value.localName === name;
  const is = {
    element: (value) => value.nodeType === 1,
    templateElement: (value) => html(value, "template"),
    inputElement: (value) => html(value, "input"),
    optionElement: (value) => html(value, "option"),
    textAreaElement: (value) => html(value, "textarea"),
  };
`;
const allKinds = /\n {2}const is = \(function \(\) \{[\s\S]*?\n {2}\}\)\(\);\n/g;

const unwanted = {
  defaults: /\n {2}const defaults = \{[\s\S]*?\n {2}\};\n/g,
  "use of the defaults": /\n {4}defaults,\n/g,
  warning: /\n( *)if \(duplicateIds\.size\) \{\n[\s\S]*?\n\1\}\n/g,
  normalization: /\n {2}const \{ normalizeElement, normalizeParent \} = [\s\S]*?\n {2}\}\)\(\);\n/g,
};

/**
 * Replaces what `pattern` finds, which must be there once, or idiomorph is another than it was.
 *
 * @param {string} text
 * @param {RegExp} pattern
 * @param {string} by
 * @param {string} what
 */
export function replaceOnce(text, pattern, by, what) {
  if ([...text.matchAll(pattern)].length !== 1) throw new Error(`idiomorph has no ${what}`);
  return text.replace(pattern, () => by);
}

/**
 * Idiomorph as the client has it.
 *
 * @param {string} code The module `idiomorph.esm.js`.
 */
export function shortened(code) {
  const text = Object.entries(trimmed).reduce((whole, [name, body]) => {
    const pattern = new RegExp(`\\n( *)function ${name}\\([\\s\\S]*?\\n\\1\\}\\n`, "g");
    return replaceOnce(whole, pattern, `\nfunction ${name}${body}\n`, `${name}()`);
  }, code);
  return Object.entries(unwanted).reduce(
    (whole, [name, pattern]) => replaceOnce(whole, pattern, "\n", name),
    replaceOnce(text, allKinds, kinds, "kinds of elements"),
  );
}
