import { importsOf, type Source } from "./source.ts";

/** What a layer may import beside itself. */
const layers: Readonly<Record<string, readonly string[]>> = {
  "src/core": [],
  "src/ports": ["src/core"],
  "src/object": ["src/core", "src/ports"],
  "src/cluster": ["src/core", "src/ports", "src/object"],
  "src/stash": ["src/core", "src/ports", "src/object"],
  "src/document": ["src/core", "src/ports", "src/object"],
  "src/sync": ["src/core", "src/ports"],
  "src/live": ["src/core", "src/ports", "src/stash", "src/document", "src/sync"],
  "src/client": ["src/core", "src/live/protocol.ts", "src/document"],
  // Where the layers are put together, too, with the defaults every runtime has.
  "adapters/web": ["src/"],
  "adapters/testing": ["src/", "adapters/web", "adapters/memory"],
  "adapters/cli": [
    "src/",
    "adapters/web",
    "adapters/memory",
    "adapters/sqlite",
    "adapters/file",
    "adapters/postgres",
    "adapters/s3",
    "adapters/denokv",
    "adapters/migrating",
  ],
  // Its pages are live views.
  "adapters/inspector": ["src/", "adapters/web", "adapters/live"],
  "adapters": ["src/", "adapters/web"],
};

/**
 * Packages of npm that an adapter is about, so that it imports them as a matter of course; optional
 * peers, mapped by `imports` of deno.json. What an adapter can do without, it imports lazily.
 */
export const packages: Readonly<Record<string, readonly string[]>> = {
  "adapters/client": ["idiomorph"],
  "adapters/live": ["jose", "valibot"],
  "adapters/yjs": ["yjs"],
  "adapters/yjs-client": ["y-protocols", "yjs"],
};

/** What `src` never names: whatever is nondeterministic comes in through a port. */
const banned: Readonly<Record<string, RegExp>> = {
  "a global of a runtime": /(?<![.\w$#])(?:Deno|Bun|globalThis|(?:process|console)(?=\s*[.[?]))\b/,
  "the time": /\bDate\.now\b|\bnew Date\(\s*\)|\bperformance\b/,
  "a timer": /\b(?:set(?:Timeout|Interval|Immediate)|clear(?:Timeout|Interval|Immediate))\b/,
  "chance": /\bMath\.random\b/,
  "the network": /(?<![.\w$#])(?:fetch\s*\((?![^()]*\)\s*[:;])|WebSocket\b|XMLHttpRequest\b)/,
};

const webCrypto = /(?<![.\w$#])crypto\s*\.\s*(?:subtle|getRandomValues|randomUUID)\b/;

/** Folder of a file: what is below `src` or `adapters`. */
function folderOf(path: string): string {
  const [top = "", next = ""] = path.split("/");
  return path.split("/").length > 2 ? `${top}/${next}` : top;
}

/** Resolves a relative specifier to a path of the checkout. */
export function resolve(from: string, specifier: string): string {
  const parts = from.split("/").slice(0, -1);
  for (const part of specifier.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== ".") parts.push(part);
  }
  return parts.join("/");
}

function allowedFor(folder: string): readonly string[] | undefined {
  const own = layers[folder];
  if (own !== undefined) return own;
  return folder.startsWith("adapters/") ? layers["adapters"] : undefined;
}

function importProblem(path: string, specifier: string, typeOnly: boolean): string | undefined {
  const folder = folderOf(path);
  if (!specifier.startsWith(".")) {
    const ofRuntime = /^(?:node|bun):/.test(specifier);
    if (folder.startsWith("adapters/") && folder !== "adapters/web" && ofRuntime) return undefined;
    const [name = ""] = specifier.split("/");
    if (packages[folder]?.includes(name)) return undefined;
    return `imports "${specifier}"`;
  }
  const target = resolve(path, specifier);
  const allowed = allowedFor(folder);
  if (allowed === undefined) return `is in "${folder}", which is no layer`;
  if (folder === "src/ports" && folderOf(target) === "src/core" && !typeOnly) {
    return `imports more than types from "${target}"`;
  }
  const fine = folderOf(target) === folder ||
    allowed.some((place) =>
      target === place || target.startsWith(place.endsWith("/") ? place : `${place}/`)
    );
  return fine ? undefined : `imports "${target}"`;
}

/** What a file of `src` or `adapters` imports against the layers. */
export function layerProblems(path: string, source: Source): readonly string[] {
  return importsOf(source).flatMap(({ specifier, typeOnly }) => {
    const problem = importProblem(path, specifier, typeOnly);
    return problem === undefined ? [] : [`${path} ${problem}`];
  });
}

/** What a file of `src` or `adapters` reaches for past the ports. */
export function reachProblems(path: string, { code }: Source): readonly string[] {
  // What runs in the browser only has the browser's globals; its decisions are made outside of it.
  const free = path.startsWith("src/client/dom/") || !path.startsWith("src/");
  const rules = free ? [] : Object.entries(banned);
  if (!path.startsWith("adapters/web/")) rules.push(["WebCrypto", webCrypto]);
  return rules.flatMap(([what, expression]) => {
    const found = expression.exec(code);
    if (found === null) return [];
    const line = code.slice(0, found.index).split("\n").length;
    return [`${path}:${line} reaches for ${what}: ${found[0].trim()}`];
  });
}

/** Relative imports without extension, and imports of the door a file is published through. */
export function spellingProblems(path: string, source: Source): readonly string[] {
  return importsOf(source).flatMap(({ specifier }) => {
    if (!specifier.startsWith(".")) return [];
    const target = resolve(path, specifier);
    if (!/\.(?:ts|mjs|json)$/.test(specifier)) return [`${path} imports "${specifier}"`];
    const ownDoor = target === "mod.ts" || target === resolve(path, "./mod.ts");
    return ownDoor ? [`${path} imports its door, "${target}"`] : [];
  });
}

/** The import circles among some files, each once, as the path around it. */
export function circles(imports: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const found: string[] = [];
  const done = new Set<string>();
  function visit(path: string, trail: readonly string[]): void {
    const start = trail.indexOf(path);
    if (start >= 0) {
      found.push([...trail.slice(start), path].join(" → "));
    } else if (!done.has(path)) {
      for (const next of imports.get(path) ?? []) visit(next, [...trail, path]);
      done.add(path);
    }
  }
  for (const path of imports.keys()) visit(path, []);
  return found;
}
