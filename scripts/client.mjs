// npm run client: bundles and minifies adapters/client/auto.ts, and what it loads later, into
// adapters/live/client_script.ts, the module the server takes the script of the browser from.
//
//   npm run client -- --check    compares with what is there instead of writing it
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { capture } from "./lib/run.mjs";
import { needRuntime, root } from "./lib/runtimes.mjs";

const target = "adapters/live/client_script.ts";
const mostBytes = 12_288;
const licence = "/*! with parts of idiomorph 0.8.0, 0BSD */\n";

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
    return {
      ...createIdMaps(target, newContent),
      target,
      doc,
      callbacks,
      pantry: createPantry(doc),
      activeElementAndParents: createActiveElementAndParents(target, doc),
    };
  }`,
  morphNode: `(oldNode, newContent, ctx) {
    if (!ctx.callbacks.beforeNodeMorphed(oldNode, newContent)) return oldNode;
    morphAttributes(oldNode, newContent, ctx);
    morphChildren(ctx, oldNode, newContent);
    return oldNode;
  }`,
  morphChildren: `(ctx, old, fresh) {
    if (is.templateElement(old)) {
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
      syncInputValue(old, fresh, ctx);
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

const unwanted = {
  defaults: /\n {2}const defaults = \{[\s\S]*?\n {2}\};\n/g,
  "use of the defaults": /\n {4}defaults,\n/g,
  warning: /\n( *)if \(duplicateIds\.size\) \{\n[\s\S]*?\n\1\}\n/g,
  normalization: /\n {2}const \{ normalizeElement, normalizeParent \} = [\s\S]*?\n {2}\}\)\(\);\n/g,
};

/** Replaces what `pattern` finds, which must be there once, or idiomorph is another than it was. */
function replaceOnce(text, pattern, by, what) {
  if ([...text.matchAll(pattern)].length !== 1) throw new Error(`idiomorph has no ${what}`);
  return text.replace(pattern, () => by);
}

const trim = {
  name: "trim",
  transform(code, id) {
    // What is left out need not be told to do nothing.
    if (id.endsWith("adapters/client/morph.ts")) {
      const told = /\n *restoreFocus:[\s\S]*\.\.\.callbacks,\n *\},\n/g;
      return replaceOnce(code, told, "\ncallbacks,\n", "options");
    }
    if (!id.endsWith("idiomorph.esm.js")) return undefined;
    const text = Object.entries(trimmed).reduce((whole, [name, body]) => {
      const pattern = new RegExp(`\\n( *)function ${name}\\([\\s\\S]*?\\n\\1\\}\\n`, "g");
      return replaceOnce(whole, pattern, `\nfunction ${name}${body}\n`, `${name}()`);
    }, code);
    return Object.entries(unwanted).reduce(
      (whole, [name, pattern]) => replaceOnce(whole, pattern, "\n", name),
      text,
    );
  },
};

/** Names that others know: of the browser, of the wire, of the public interface, of the tab. */
function publicNames() {
  const lib = join(root, "node_modules/typescript/lib");
  const files = [
    ...readdirSync(lib).filter((name) => /^lib\.(?:es|dom)/.test(name)).map((name) =>
      join(lib, name)
    ),
    ...[
      "src/live/protocol.ts",
      "src/client/options.ts",
      "src/client/timing.ts",
      "src/client/messages.ts",
      "src/client/handover.ts",
      "src/client/url.ts",
      "src/client/dom/more_port.ts",
      // What one part uses of the other must have the same name in both.
      "src/client/dom/more.ts",
      "src/client/dom/navigation.ts",
      "src/client/dom/stream.ts",
      "src/client/dom/hooks.ts",
      "src/client/dom/late.ts",
      "src/client/dom/forms.ts",
      "src/client/dom/saved.ts",
      "src/client/dom/host.ts",
      "src/client/dom/transport.ts",
      "src/client/connection.ts",
      "src/client/view.ts",
      "adapters/client/connect.ts",
      "adapters/client/auto.ts",
    ].map((path) => join(root, path)),
  ];
  return [
    ...new Set(files.flatMap((file) => readFileSync(file, "utf8").match(/[A-Za-z_$][\w$]*/g))),
  ];
}

async function bundle(entry, reserved, define = {}) {
  const { rolldown } = await import("rolldown");
  const build = await rolldown({
    input: join(root, entry),
    platform: "browser",
    tsconfig: false,
    plugins: [trim],
    transform: { define },
  });
  const minify = {
    mangle: true,
    compress: true,
    codegen: true,
    mangleProps: { include: /^[a-z]/, reserved },
  };
  const { output } = await build.generate({ format: "esm", minify });
  await build.close();
  if (output.length !== 1) throw new Error(`${entry} comes in ${output.length} parts`);
  return output[0].code.replace(/\/\* @__PURE__ \*\/ ?/g, "").trim() + "\n";
}

function digest(text, algorithm, encoding) {
  return createHash(algorithm).update(text).digest(encoding);
}

/** A script as the fields of an object. */
function fields(code) {
  const quoted = code.replace(/[\\`]|\$\{/g, (found) => `\\${found}`);
  return [
    `hash: "${hashOf(code)}",`,
    `integrity: "sha384-${digest(code, "sha384", "base64")}",`,
    `text: \`${quoted}\`,`,
  ].join("\n");
}

function hashOf(code) {
  return digest(code, "sha256", "hex").slice(0, 16);
}

function moduleOf(main, more) {
  return `// GENERATED by \`npm run client\` from adapters/client/auto.ts: not to be edited.
// deno-fmt-ignore-file
// deno-lint-ignore-file

/** A part of the script that connects the live views of a page. */
export interface ClientScript {
  /** The module, minified. */
  readonly text: string;
  /** What tells one version from another, for the address. */
  readonly hash: string;
  /** For the \`integrity\` of the script tag. */
  readonly integrity: string;
}

/** The script as the server offers it, and \`more\`, which it loads when the page is connected. */
export const clientScript: ClientScript & { readonly more: ClientScript } = {
${fields(main)}
more: {
${fields(more)}
},
};
`;
}

async function main() {
  const reserved = publicNames();
  const more = await bundle("src/client/dom/more.ts", reserved);
  const name = JSON.stringify(`more.js?v=${hashOf(more)}`);
  const code = licence + await bundle("adapters/client/auto.ts", reserved, { MORE: name });
  const size = (text) => gzipSync(text, { level: 9 }).length;
  console.log(`${size(code)} bytes with gzip, of ${mostBytes} at most; ${size(more)} more later`);
  const path = join(root, target);
  const module = moduleOf(code, more);
  if (process.argv.includes("--check")) {
    const same = existsSync(path) && readFileSync(path, "utf8") === module;
    if (!same) console.error(`${target} is not what npm run client makes`);
    return same && size(code) <= mostBytes;
  }
  writeFileSync(path, module);
  return size(code) <= mostBytes;
}

// rolldown wants a newer Node than npm may run us with.
if (Number(process.versions.node.split(".")[0]) < 22) {
  const { path } = needRuntime("node");
  const { code, output } = await capture(path, process.argv.slice(1), { cwd: root });
  process.stdout.write(output);
  process.exit(code);
}
process.exit(await main() ? 0 : 1);
