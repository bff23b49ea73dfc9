/** A function body found in code. */
export interface FunctionBody {
  /** Line of its opening brace, from 1. */
  readonly line: number;
  /** From the opening brace to the closing one. */
  readonly lines: number;
}

const control = /\b(?:if|for|while|switch|catch|with)\s*(?:await\s*)?$/;

/** Tells whether the brace at `at` opens a body: after `=>`, or after parameters and a type. */
function opensBody(code: string, at: number, parens: ReadonlyMap<number, number>): boolean {
  const before = code.slice(Math.max(0, at - 400), at).trimEnd();
  if (before.endsWith("=>")) return true;
  const close = code.slice(0, at).lastIndexOf(")");
  const between = code.slice(close + 1, at);
  if (close < 0 || !/^\s*(?::[^;={}]*)?$/.test(between)) return false;
  return !control.test(code.slice(0, parens.get(close) ?? 0));
}

/**
 * Finds the function bodies in code whose comments and strings are blanked. Told by braces alone: a
 * function whose return type is written with braces is missed.
 */
export function functionsOf(code: string): readonly FunctionBody[] {
  const bodies: FunctionBody[] = [];
  const parens = new Map<number, number>();
  const open: number[] = [];
  const braces: { readonly line: number; readonly body: boolean }[] = [];
  let line = 1;
  for (let at = 0; at < code.length; at++) {
    const char = code[at];
    if (char === "\n") line++;
    else if (char === "(") open.push(at);
    else if (char === ")") parens.set(at, open.pop() ?? 0);
    else if (char === "{") braces.push({ line, body: opensBody(code, at, parens) });
    else if (char === "}") {
      const brace = braces.pop();
      if (brace?.body) bodies.push({ line: brace.line, lines: line - brace.line + 1 });
    }
  }
  return bodies;
}
