/** A browser as small as it gets: cookies, and forms from the page's own origin. */
import http from "node:http";
import { Buffer } from "node:buffer";

/** What came back. */
export interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

/**
 * One request on a connection of its own. Not `fetch()`: nothing may be sent again behind our back,
 * and a redirect is an answer.
 */
function send(
  url: string,
  method: string,
  headers: Readonly<Record<string, string>>,
  body: string,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = http.request(url, { agent: false, method, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => void chunks.push(chunk));
      response.on("error", reject);
      response.on("aborted", () => reject(new Error("The answer was cut")));
      response.on("end", () => {
        const { statusCode: status = 0, headers } = response;
        resolve({ status, headers, body: Buffer.concat(chunks).toString("utf8") });
      });
    });
    request.on("error", reject);
    request.end(body);
  });
}

/** Keeps the cookies of one browser, whatever address its server has at the moment. */
export class Jar {
  readonly #cookies: Map<string, string> = new Map();

  /** With no cookie, or with the one of a Cookie header that was seen before. */
  constructor(header = "") {
    if (header !== "") this.#keep(header);
  }

  /** The Cookie header it would send. */
  get header(): string {
    return Array.from(this.#cookies, ([name, value]) => `${name}=${value}`).join("; ");
  }

  get(url: string): Promise<Answer> {
    return this.#send(url, "GET", {}, "");
  }

  /** Sends a form, as a page of that server would. */
  post(url: string, fields: Readonly<Record<string, string>> = {}): Promise<Answer> {
    const headers = {
      origin: new URL(url).origin,
      "content-type": "application/x-www-form-urlencoded",
    };
    return this.#send(url, "POST", headers, new URLSearchParams(fields).toString());
  }

  async #send(
    url: string,
    method: string,
    more: Readonly<Record<string, string>>,
    body: string,
  ): Promise<Answer> {
    const { header } = this;
    const headers = {
      ...more,
      "content-length": String(Buffer.byteLength(body)),
      ...(header === "" ? {} : { cookie: header }),
    };
    const answer = await send(url, method, headers, body);
    for (const line of answer.headers["set-cookie"] ?? []) this.#keep(line);
    return answer;
  }

  #keep(line: string): void {
    const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
    if (/;\s*max-age=0/i.test(line)) this.#cookies.delete(name);
    else this.#cookies.set(name, value);
  }
}
