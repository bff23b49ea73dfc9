// Reads the JUnit reports of bun test, deno test and node --test.

const entities = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };

function unescape(text) {
  return text.replace(/&(?:#x([\da-f]+)|#(\d+)|(\w+));/gi, (all, hex, decimal, name) => {
    if (hex !== undefined) return String.fromCodePoint(parseInt(hex, 16));
    if (decimal !== undefined) return String.fromCodePoint(Number(decimal));
    return entities[name] ?? all;
  });
}

/**
 * @param {string} xml
 * @returns {{ name: string, status: "passed" | "failed" | "skipped" }[]}
 */
export function readJunit(xml) {
  const cases = xml.matchAll(/<testcase\b((?:[^>"]|"[^"]*")*?)(\/>|>([\s\S]*?)<\/testcase>)/g);
  return Array.from(cases, ([, attributes, , body = ""]) => {
    const name = / name="([^"]*)"/.exec(` ${attributes}`)?.[1] ?? "";
    const status = /<(failure|error)\b/.test(body)
      ? "failed"
      : /<skipped\b/.test(body)
      ? "skipped"
      : "passed";
    // Twice: Node escapes a quote twice.
    return { name: unescape(unescape(name)), status };
  });
}
