/** Characters of a frame that goes out whole. */
export const maxWhole = 65_536;

/** Splits a frame that is too long for one. */
export function inParts(text: string): readonly string[] {
  return text.length <= maxWhole ? [text] : partsOf(text);
}

/** A text in parts, however short it is. */
export function partsOf(text: string): readonly string[] {
  const parts: string[] = [];
  for (let at = 0; at < text.length; at += maxWhole) {
    const left = Math.ceil((text.length - at) / maxWhole) - 1;
    parts.push(part(left, text.slice(at, at + maxWhole)));
  }
  return parts;
}

/** One of them, with how many follow it. */
export function part(left: number, text: string): string {
  return JSON.stringify({ t: "part", left, text });
}
