// Serves the built site to this machine, as any host of static files would.
import { createReadStream, existsSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, sep } from "node:path";
import { built } from "./pages.mjs";

const types = {
  ".css": "text/css",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".json": "application/json",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
};

/**
 * @param {{ port: number, base: string }} options
 * @returns {Promise<string>} The address.
 */
export function serveSite({ port, base }) {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, "http://localhost");
    const inside = decodeURIComponent(
      pathname.startsWith(base) ? pathname.slice(base.length) : "-",
    );
    const path = join(built, inside.replace(/(^|\/)$/, "$1index.html"));
    const found = path.startsWith(built + sep) && existsSync(path) && statSync(path).isFile();
    const file = found ? path : join(built, "404.html");
    response.writeHead(found ? 200 : 404, { "content-type": types[extname(file)] ?? "text/plain" });
    createReadStream(file).pipe(response);
  });
  return new Promise((resolve, reject) => {
    server.on("error", reject);
    server.listen(
      port,
      "127.0.0.1",
      () => resolve(`http://127.0.0.1:${server.address().port}${base}`),
    );
  });
}
