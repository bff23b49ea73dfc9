/** A source text seen three ways; each is as long as the text, what it leaves out is blank. */
export interface Source {
  /** As written. */
  readonly text: string;
  /** Without comments and without what is inside of strings and patterns; quotes stay. */
  readonly code: string;
  /** The comments alone. */
  readonly comments: string;
}

/** A module another one names. */
export interface Import {
  readonly specifier: string;
  /** Leaves nothing behind when the types are stripped. */
  readonly typeOnly: boolean;
}

type Kind = "code" | "comment" | "string";

// Where a slash begins a pattern rather than a division.
const beforePattern = /(?:^|[(,=:[!&|?{};+\-*%<>~^]|\b(?:return|typeof|case|in|of|void))\s*$/;
const pattern = /\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*/y;
const quoted = /(["'])(?:\\[\s\S]|(?!\1)[^\\\n])*\1/y;
const comment = /\/\/[^\n]*|\/\*[\s\S]*?\*\//y;
const templatePart = /(?:\\[\s\S]|\$(?!\{)|[^\\`$])*/y;

function match(expression: RegExp, text: string, at: number): number {
  expression.lastIndex = at;
  return expression.exec(text)?.[0].length ?? 0;
}

function blank(text: string): string {
  return text.replace(/[^\n]/g, " ");
}

/** Keeps the delimiters of a string, a pattern or a stretch of template text. */
function hollow(part: string): string {
  const end = part.endsWith("${") ? 2 : 1;
  return part[0] + blank(part.slice(1, -end)) + part.slice(Math.max(1, part.length - end));
}

/** Splits a source into code, comments and the insides of strings. */
export function split(text: string): Source {
  const parts = { code: "", comments: "" };
  // How many braces are open in each `${` we are in.
  const templates: number[] = [];
  let at = 0;

  function take(kind: Kind, length: number): void {
    const part = text.slice(at, at + length);
    parts.code += kind === "code" ? part : kind === "string" ? hollow(part) : blank(part);
    parts.comments += kind === "comment" ? part : blank(part);
    at += length;
  }

  // From the quote or brace that opens a stretch of template text to the one that ends it.
  function takeTemplate(): void {
    const length = 1 + match(templatePart, text, at + 1);
    const opens = text.startsWith("${", at + length);
    take("string", length + (opens ? 2 : 1));
    if (opens) templates.push(0);
  }

  while (at < text.length) {
    const char = text[at];
    const length = char === "/"
      ? match(comment, text, at)
      : char === '"' || char === "'"
      ? match(quoted, text, at)
      : 0;
    if (length > 0) take(char === "/" ? "comment" : "string", length);
    else if (char === "`") takeTemplate();
    else if (char === "}" && templates.at(-1) === 0) {
      templates.pop();
      takeTemplate();
    } else if (char === "/" && beforePattern.test(parts.code.slice(-40))) {
      take("string", Math.max(1, match(pattern, text, at)));
    } else {
      const open = templates.length - 1;
      if (open >= 0 && char === "{") templates[open]! += 1;
      if (open >= 0 && char === "}") templates[open]! -= 1;
      take("code", 1);
    }
  }
  return { text, ...parts };
}

/** The modules a source names with a literal, in order. */
export function importsOf({ text, code }: Source): readonly Import[] {
  const statement =
    /\b(?:(?:import|export)\b(?<clause>[^;"'`()=]*?)\bfrom|import)\s*(?:\(\s*)?(?<quote>["'])/g;
  return Array.from(code.matchAll(statement), (found) => {
    const start = found.index + found[0].length;
    const end = code.indexOf(found.groups?.["quote"] ?? '"', start);
    const typeOnly = /^\s*type\b/.test(found.groups?.["clause"] ?? "");
    return { specifier: text.slice(start, end), typeOnly };
  });
}

/** A text with its comments blanked. */
export function withoutComments(text: string): string {
  const { comments } = split(text);
  return text.replace(/\S/g, (char, at: number) => comments[at] === " " ? char : " ");
}
