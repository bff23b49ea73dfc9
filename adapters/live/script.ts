import { clientScript } from "./client_script.ts";
import { asHtml, attributes } from "./html.ts";
import { refusal } from "./transport.ts";
import type { Html } from "./types.ts";

interface Script {
  readonly text: string;
  readonly hash: string;
  readonly integrity: string;
}

/** The scripts there are: one that every page loads, and perhaps one that it loads when needed. */
const scripts: Readonly<Record<string, Script | undefined>> = {
  "client.js": clientScript,
  "more.js": (clientScript as { readonly more?: Script }).more,
};

/** Answers a request for a script: for good if it names its version. */
export function serveScript(name: string, request: Request): Response | undefined {
  const script = Object.hasOwn(scripts, name) ? scripts[name] : undefined;
  if (script === undefined) return undefined;
  if (request.method !== "GET" && request.method !== "HEAD") return refusal(405, "Only GET");
  const etag = `"${script.hash}"`;
  const isNamed = new URL(request.url).searchParams.get("v") === script.hash;
  const headers = {
    "content-type": "text/javascript; charset=utf-8",
    "cache-control": isNamed ? "public, max-age=31536000, immutable" : "no-cache",
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "same-origin",
    etag,
  };
  if (request.headers.get("if-none-match") === etag) {
    return new Response(null, { status: 304, headers });
  }
  return new Response(request.method === "HEAD" ? null : script.text, { headers });
}

/** The element that brings the script to a page and connects it. */
export function scriptElement(path: string): Html {
  const { hash, integrity } = clientScript;
  return asHtml(`<script${
    attributes({
      type: "module",
      src: `${path}/client.js?v=${hash}`,
      integrity,
      "data-live-auto": true,
      "data-live-path": path,
    })
  }></script>`);
}

/** Whether an asset of a page is another version of the script than this one. */
export function isOtherScript(path: string, asset: string): boolean {
  const at = asset.indexOf(`${path}/client.js?v=`);
  return at >= 0 && asset.slice(asset.indexOf("?v=", at) + 3) !== clientScript.hash;
}
