/** Reads the body of a request; `undefined` if it is larger than allowed. */
export async function readBody(
  request: Request,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (Number(request.headers.get("content-length") ?? 0) > maxBytes) return undefined;
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = request.body?.getReader();
  if (reader === undefined) return new Uint8Array();
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    size += next.value.byteLength;
    if (size > maxBytes) {
      await reader.cancel().catch(() => {});
      return undefined;
    }
    chunks.push(next.value);
  }
  const body = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    body.set(chunk, at);
    at += chunk.byteLength;
  }
  return body;
}

/** What a form posted: its texts, files left out; `undefined` if it is no form or too large. */
export async function readForm(
  request: Request,
  maxBytes: number,
): Promise<readonly (readonly [string, string])[] | undefined> {
  const type = request.headers.get("content-type") ?? "";
  if (!/^(?:application\/x-www-form-urlencoded|multipart\/form-data)\b/i.test(type)) {
    return undefined;
  }
  const body = await readBody(request, maxBytes);
  if (body === undefined) return undefined;
  try {
    const form = await new Response(body, { headers: { "content-type": type } }).formData();
    return [...form].flatMap(([name, value]) =>
      typeof value === "string" ? [[name, value] as const] : []
    );
  } catch {
    return undefined;
  }
}
