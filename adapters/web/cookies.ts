import { checkKnown, type OptionNames, outOfRange, wrongArgument } from "../../src/core/options.ts";

/** The name prefixes of RFC 6265bis and of its successor, layered cookies; the longest first. */
const PREFIXES = ["__Host-Http-", "__Host-", "__Http-", "__Secure-"] as const;

// Compared as numbers: this runs for each request.
const QUOTE = 0x22;
const SEMICOLON = 0x3b;
const EQUALS = 0x3d;

const MAX_HEADER_CHARACTERS = 8192;
const MAX_VALUES = 20;
const MAX_NAME_CHARACTERS = 128;
const MAX_COOKIE_BYTES = 4096;
const MAX_AGE_SECONDS = 400 * 24 * 60 * 60;

/** A token of RFC 9110. */
const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** The cookie-octets of RFC 6265bis: printable ASCII but `"`, `,`, `;`, `\` and space. */
const VALUE = /^[!#-+\--:<-[\]-~]*$/;

const DOMAIN = /^[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?$/;

/**
 * How the session cookie is set. What is not given is the strongest there is; what is weaker needs
 * `dev: true`.
 */
export interface CookieOptions {
  /**
   * Name. Begins with `__Host-` or `__Host-Http-`, or, if there is a `domain`, with `__Secure-` or
   * `__Http-`; any name with `dev`.
   * @default {"__Host-holdfast", with `dev` "holdfast"}
   */
  readonly name?: string;
  /** For http on localhost: allows weaker options, and `secure` is `false`. @default {false} */
  readonly dev?: boolean;
  /** Which requests from other sites carry it; `"None"` only with `secure`. @default {"Lax"} */
  readonly sameSite?: "Lax" | "Strict" | "None";
  /** Seconds the browser keeps it, 1 to 34,560,000 (400 days). @default {until the browser closes} */
  readonly maxAgeSeconds?: number;
  /** Path; a session belongs to the whole host. @default {"/"} */
  readonly path?: "/";
  /** Domain whose subdomains get it too. @default {the host alone} */
  readonly domain?: string;
  /** Only over https. @default {true, with `dev` false} */
  readonly secure?: boolean;
  /** Out of reach of scripts. @default {true} */
  readonly httpOnly?: boolean;
}

/** {@linkcode CookieOptions} that were checked, with nothing left open. */
export interface CookieSettings {
  readonly name: string;
  readonly sameSite: "Lax" | "Strict" | "None";
  /** `undefined` for a cookie that ends with the browser session. */
  readonly maxAgeSeconds: number | undefined;
  readonly path: "/";
  /** `undefined` for the host alone. */
  readonly domain: string | undefined;
  readonly secure: boolean;
  readonly httpOnly: boolean;
}

const optionNames: OptionNames<CookieOptions> = {
  name: true,
  dev: true,
  sameSite: true,
  maxAgeSeconds: true,
  path: true,
  domain: true,
  secure: true,
  httpOnly: true,
};

/**
 * Reads every value of one cookie from a request.
 *
 * Only `;` separates cookies. Not `,`: a server that gets several Cookie headers joins them with
 * `"; "` (RFC 9113, 8.2.3; Bun, Deno and Node all do), and a comma may stand inside a value, where
 * a sibling domain could put `, __Host-…=` and get round the prefix. For the same reason a name is
 * stripped of spaces and tabs only, and quotes hide no `;`.
 *
 * @param header The Cookie header; `null` or `undefined` if there is none.
 * @param name The exact name, case included.
 * @returns The values in the order of the header, not decoded, without the quotes around them. At
 * most 20, all of them from whole cookies within the first 8192 characters. Never throws.
 */
export function readCookie(header: string | null | undefined, name: string): readonly string[] {
  const values: string[] = [];
  if (typeof header !== "string" || name === "") return values;
  const isCut = header.length > MAX_HEADER_CHARACTERS;
  const text = isCut ? header.slice(0, MAX_HEADER_CHARACTERS + 1) : header;
  // From one occurrence of the name to the next: a header of nothing but ";" costs nothing.
  for (let at = text.indexOf(name); at >= 0 && values.length < MAX_VALUES;) {
    let stop = at + name.length;
    if (isPairStart(text, at) && text.charCodeAt(skipBlanks(text, stop)) === EQUALS) {
      const semicolon = text.indexOf(";", stop);
      if (semicolon < 0 && isCut) break;
      stop = semicolon < 0 ? text.length : semicolon;
      values.push(valueIn(text, at + name.length, stop));
    }
    at = text.indexOf(name, stop);
  }
  return values;
}

/** Tells whether only blanks stand between a position and the `;` or the start before it. */
function isPairStart(text: string, at: number): boolean {
  while (at > 0 && isBlank(text.charCodeAt(at - 1))) at--;
  return at === 0 || text.charCodeAt(at - 1) === SEMICOLON;
}

/** `trim()` would take off no-break spaces and more, and so make a prefixed name of another. */
function skipBlanks(text: string, at: number): number {
  while (isBlank(text.charCodeAt(at))) at++;
  return at;
}

/** Takes the value out of the rest of a pair, ` = "value" `, from `start` to before `stop`. */
function valueIn(text: string, start: number, stop: number): string {
  let from = skipBlanks(text, skipBlanks(text, start) + 1);
  let end = stop;
  while (end > from && isBlank(text.charCodeAt(end - 1))) end--;
  if (end - from > 1 && text.charCodeAt(from) === QUOTE && text.charCodeAt(end - 1) === QUOTE) {
    from++;
    end--;
  }
  return text.slice(from, end);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/**
 * Checks cookie options and fills in the defaults: `__Host-holdfast`, Secure, HttpOnly,
 * SameSite=Lax, Path=/, no Domain, no Max-Age.
 *
 * @param options What the user passed.
 * @returns The settings, frozen.
 * @throws {TypeError} If an option is malformed, weaker than the default without `dev: true`, or
 * such that browsers would drop the cookie.
 * @throws {RangeError} If `maxAgeSeconds` is not an integer from 1 to 34,560,000.
 */
export function cookieSettings(options: CookieOptions = {}): CookieSettings {
  checkKnown(options, optionNames, "set the session cookie", "cookie");
  const dev = options.dev ?? false;
  const settings: CookieSettings = {
    name: options.name ?? (dev ? "holdfast" : "__Host-holdfast"),
    sameSite: options.sameSite ?? "Lax",
    maxAgeSeconds: options.maxAgeSeconds,
    path: options.path ?? "/",
    domain: options.domain,
    secure: options.secure ?? !dev,
    httpOnly: options.httpOnly ?? true,
  };
  checkFlags({ dev, secure: settings.secure, httpOnly: settings.httpOnly });
  checkAttributes(settings);
  checkPrefix(settings);
  if (!dev) checkStrength(settings);
  return Object.freeze(settings);
}

/** A truthy string such as `"false"` would turn off what it seems to turn on. */
function checkFlags(flags: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(flags)) {
    if (typeof value !== "boolean") refuse(`${name} is not a boolean`);
  }
}

function checkAttributes(settings: CookieSettings): void {
  const { name, domain, sameSite, maxAgeSeconds, path } = settings;
  if (typeof name !== "string" || !NAME.test(name) || name.length > MAX_NAME_CHARACTERS) {
    refuse(`its name is not a token of 1 to ${MAX_NAME_CHARACTERS} characters`);
  }
  if (!["Lax", "Strict", "None"].includes(sameSite)) {
    refuse('sameSite is not "Lax", "Strict" or "None"');
  }
  if (path !== "/") refuse('path is not "/"');
  if (domain !== undefined && (typeof domain !== "string" || !DOMAIN.test(domain))) {
    refuse("domain is not a host name");
  }
  if (maxAgeSeconds === undefined) return;
  if (!Number.isInteger(maxAgeSeconds) || maxAgeSeconds < 1 || maxAgeSeconds > MAX_AGE_SECONDS) {
    throw outOfRange(
      `Cannot set the session cookie: maxAgeSeconds is not an integer from 1 to ${MAX_AGE_SECONDS}`,
    );
  }
}

/** What browsers require of a prefixed name, or they drop the cookie. */
function checkPrefix({ name, secure, httpOnly, domain, sameSite }: CookieSettings): void {
  if (sameSite === "None" && !secure) refuse('sameSite "None" requires secure');
  const prefix = prefixOf(name);
  if (prefix === undefined) return;
  if (!name.startsWith(prefix)) refuse(`its name does not spell the prefix as "${prefix}"`);
  if (!secure) refuse(`the prefix "${prefix}" requires secure`);
  if (prefix.includes("Http-") && !httpOnly) refuse(`the prefix "${prefix}" requires httpOnly`);
  if (prefix.startsWith("__Host-") && domain !== undefined) {
    refuse(`the prefix "${prefix}" allows no domain`);
  }
}

/** Browsers compare prefixes without regard to case. */
function prefixOf(name: string): string | undefined {
  const lower = name.toLowerCase();
  return PREFIXES.find((prefix) => lower.startsWith(prefix.toLowerCase()));
}

function checkStrength({ name, secure, httpOnly, domain }: CookieSettings): void {
  if (!secure) refuse("secure is false without dev: true");
  if (!httpOnly) refuse("httpOnly is false without dev: true");
  const prefix = prefixOf(name);
  if (domain !== undefined && prefix === undefined) {
    refuse('it has a domain, and its name begins with neither "__Secure-" nor "__Http-"');
  }
  if (domain === undefined && !prefix?.startsWith("__Host-")) {
    refuse('its name does not begin with "__Host-", without dev: true');
  }
}

function refuse(reason: string): never {
  throw wrongArgument(`Cannot set the session cookie: ${reason}`);
}

/**
 * Writes a Set-Cookie header.
 *
 * @param settings Checked settings.
 * @param value Only characters a cookie may hold without quotes.
 * @returns The header's value.
 * @throws {TypeError} If the value has another character.
 * @throws {RangeError} If name and value have more than 4096 bytes, which browsers ignore.
 */
export function serializeCookie(settings: CookieSettings, value: string): string {
  if (!VALUE.test(value)) refuse("its value has a character that cookies cannot hold");
  if (settings.name.length + value.length > MAX_COOKIE_BYTES) {
    throw outOfRange(
      `Cannot set the session cookie: name and value have more than ${MAX_COOKIE_BYTES} bytes`,
    );
  }
  return `${settings.name}=${value}${attributes(settings, settings.maxAgeSeconds)}`;
}

/**
 * Writes a Set-Cookie header that removes the cookie: the same attributes, or browsers would keep
 * it, with `Max-Age=0`.
 *
 * @param settings Checked settings.
 * @returns The header's value.
 */
export function expireCookie(settings: CookieSettings): string {
  return `${settings.name}=${attributes(settings, 0)}`;
}

function attributes(settings: CookieSettings, maxAgeSeconds: number | undefined): string {
  const { domain, path, secure, httpOnly, sameSite } = settings;
  return (maxAgeSeconds === undefined ? "" : `; Max-Age=${maxAgeSeconds}`) +
    (domain === undefined ? "" : `; Domain=${domain}`) +
    `; Path=${path}` +
    (secure ? "; Secure" : "") +
    (httpOnly ? "; HttpOnly" : "") +
    `; SameSite=${sameSite}`;
}
