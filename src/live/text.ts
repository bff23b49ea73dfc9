import type { Rendered } from "./model.ts";

/** What hono/html and hono/jsx leave to be done once the text is known (hono/css, for one). */
type Callback = (options: {
  readonly buffer: [string];
  readonly phase: 1;
  readonly context: object;
}) => unknown;

/** Turns what `render` returned into text. */
export async function textOf(rendered: Rendered): Promise<string> {
  const now: unknown = await rendered;
  if (typeof now === "string") return now;
  if (typeof now !== "object" || now === null) {
    throw new TypeError(`Cannot render: render() returned ${now === null ? "null" : typeof now}`);
  }
  // An element with asynchronous parts answers with a promise, and that with an object of its own.
  const text: unknown = await now.toString();
  const buffer: [string] = [String(text)];
  const context = {};
  for (const callback of [...callbacksOf(now), ...callbacksOf(text)]) {
    await callback({ buffer, phase: 1, context });
  }
  return buffer[0];
}

function callbacksOf(value: unknown): readonly Callback[] {
  if (typeof value !== "object" || value === null) return [];
  return (value as { readonly callbacks?: readonly Callback[] }).callbacks ?? [];
}
