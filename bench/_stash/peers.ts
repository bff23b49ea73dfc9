/**
 * The others in their fastest form, also where that does less than ours: `c.get("session")` because
 * Hono builds an object each time somebody says `c.var`. They are installed by the
 * benchmark only, so that their types are not here: what is used of each is written down instead.
 */
import { Hono, type MiddlewareHandler } from "hono";
import { load } from "../_peers/load.ts";
import type { App, AppOptions, Variant } from "./apps.ts";

const LIFETIME_SECONDS = 24 * 60 * 60;

/** What every session holds. */
interface Visits {
  count: number;
  note: string;
}

function floor(...middleware: readonly MiddlewareHandler[]): App {
  let count = 0;
  const hono = new Hono();
  for (const each of middleware) hono.use(each);
  hono.get("/read", (c) => c.text(String(count)));
  hono.post("/write", (c) => c.text(String(++count)));
  return hono;
}

/** What is used of hono-sessions. */
interface HonoSessions {
  MemoryStore: new () => object;
  CookieStore: new () => object;
  sessionMiddleware(options: object): MiddlewareHandler;
}

interface HonoSession {
  get(key: keyof Visits): unknown;
  set(key: keyof Visits, value: unknown): void;
}

/** Keeps a counter for each id in a Map, and the id in a cookie: what no session can be without. */
function least(): App {
  const known = new Map<string, Visits>();
  const hono = new Hono<{ Variables: { session: () => Promise<Visits> } }>();
  hono.use((c, next) => {
    const cookie = c.req.raw.headers.get("cookie") ?? "";
    const from = cookie.indexOf("id=");
    const found = from < 0 ? undefined : known.get(cookie.slice(from + 3, from + 39));
    const visits = found ?? { count: 0, note: "" };
    // A session may have to be read from somewhere, so that its handler has to wait.
    c.set("session", () => Promise.resolve(visits));
    return next().then(() => {
      if (found !== undefined) return;
      const id = crypto.randomUUID();
      known.set(id, visits);
      c.header("set-cookie", `id=${id}; Path=/; HttpOnly`);
    });
  });
  hono.get("/read", async (c) => c.text(String((await c.get("session")()).count)));
  hono.post("/write", async (c) => c.text(String(++(await c.get("session")()).count)));
  return hono;
}

async function honoSessions({ secret, note }: AppOptions, kept: "memory" | "cookie"): Promise<App> {
  const { MemoryStore, CookieStore, sessionMiddleware } = await load<HonoSessions>("hono-sessions");
  // With cookie options and an expiry, as its page recommends, it takes some 3 µs more.
  const options = kept === "memory"
    ? { store: new MemoryStore() }
    : { store: new CookieStore(), encryptionKey: secret };
  const hono = new Hono<{ Variables: { session: HonoSession } }>();
  hono.use(sessionMiddleware(options));
  hono.get("/read", (c) => c.text(String(c.get("session").get("count"))));
  hono.post("/write", (c) => {
    const session = c.get("session");
    const count = (session.get("count") as number | undefined ?? 0) + 1;
    session.set("count", count);
    session.set("note", note);
    return c.text(String(count));
  });
  return hono;
}

/** What is used of @hono/session. */
interface HonoMiddlewareSession {
  useSession(options: object): MiddlewareHandler;
  useSessionStorage(storage: object): MiddlewareHandler;
}

interface UsedSession {
  readonly data: Visits | null;
  get(): Promise<Visits | null>;
  update(change: (before: Visits | null) => Visits): Promise<void>;
}

async function honoSession({ secret, note }: AppOptions): Promise<App> {
  const { useSession, useSessionStorage } = await load<HonoMiddlewareSession>("@hono/session");
  const kept = new Map<string, Visits>();
  const hono = new Hono<{ Variables: { session: UsedSession } }>();
  hono.use(useSessionStorage({
    get: (sid: string) => kept.get(sid),
    set: (sid: string, value: Visits) => void kept.set(sid, value),
    delete: (sid: string) => void kept.delete(sid),
  }));
  // Without a duration it would encrypt its cookie anew on each write.
  const key = secret.replace(/[^0-9a-f]/gi, "0").slice(0, 64);
  hono.use(useSession({ secret: key, duration: { absolute: LIFETIME_SECONDS } }));
  hono.get("/read", async (c) => c.text(String((await c.get("session").get())?.count)));
  hono.post("/write", async (c) => {
    const session = c.get("session");
    await session.update((before) => ({
      count: (before?.count ?? 0) + 1,
      note,
    }));
    return c.text(String(session.data?.count));
  });
  return hono;
}

/** What is used of iron-session. */
interface IronSession {
  webCookies(request: Request, headers: Headers): object;
  getIronSession(
    jar: object,
    options: object,
  ): Promise<Partial<Visits> & { save(): Promise<void> }>;
}

async function ironSession({ secret, note }: AppOptions): Promise<App> {
  const { getIronSession, webCookies } = await load<IronSession>("iron-session");
  const options = {
    password: secret,
    cookieName: "session",
    ttl: LIFETIME_SECONDS,
  };
  const hono = new Hono();
  hono.get("/read", async (c) => {
    const session = await getIronSession(webCookies(c.req.raw, new Headers()), options);
    return c.text(String(session.count));
  });
  hono.post("/write", async (c) => {
    const headers = new Headers();
    const session = await getIronSession(webCookies(c.req.raw, headers), options);
    session.count = (session.count ?? 0) + 1;
    session.note = note;
    await session.save();
    const cookie = headers.get("set-cookie");
    if (cookie !== null) c.header("set-cookie", cookie);
    return c.text(String(session.count));
  });
  return hono;
}

type Handler = (
  request: { readonly session: Partial<Visits> },
  response: {
    setHeader(name: string, value: string): void;
    end(text: string): void;
  },
) => void;

/** What is used of Express and of express-session. */
interface Express {
  default(): ((request: never, response: never) => void) & {
    set(name: string, value: false): void;
    use(middleware: unknown): void;
    get(path: string, handler: Handler): void;
    post(path: string, handler: Handler): void;
  };
}

interface ExpressSession {
  default(options: object): unknown;
}

async function express(options?: AppOptions): Promise<App> {
  const app = (await load<Express>("express")).default();
  // Neither does Hono.
  app.set("x-powered-by", false);
  const answer = (response: Parameters<Handler>[1], count: unknown): void => {
    const text = String(count);
    response.setHeader("content-type", "text/plain; charset=UTF-8");
    response.setHeader("content-length", String(text.length));
    response.end(text);
  };
  if (options === undefined) {
    let count = 0;
    app.get("/read", (_request, response) => answer(response, count));
    app.post("/write", (_request, response) => answer(response, ++count));
    return { listener: app };
  }
  const { default: session } = await load<ExpressSession>("express-session");
  app.use(
    session({
      secret: options.secret,
      resave: false,
      saveUninitialized: false,
    }),
  );
  app.get("/read", (request, response) => answer(response, request.session.count));
  app.post("/write", (request, response) => {
    request.session.count = (request.session.count ?? 0) + 1;
    request.session.note = options.note;
    answer(response, request.session.count);
  });
  return { listener: app };
}

/** The floor every ratio is to. */
export const floors: Readonly<Record<string, Variant>> = {
  floor: { label: "no session (floor)", floor: true, make: () => floor() },
  // What of the distance to the floor is Hono's: it waits for a middleware, and for none without.
  floor_middleware: {
    label: "no session, an empty middleware",
    floor: true,
    make: () => floor((_, next) => next()),
  },
  // And what of the rest is any session's: the header alone takes Bun a microsecond.
  least: {
    label: "the least: an id in a cookie, a Map",
    make: least,
  },
};

/** The other libraries, by name. */
export const peers: Readonly<Record<string, Variant>> = {
  hono_sessions_memory: {
    label: "hono-sessions, memory, unsigned, no expiry",
    make: (options) => honoSessions(options, "memory"),
  },
  hono_session_memory: { label: "@hono/session, memory", make: honoSession },
  express_session_memory: { label: "express-session, memory", make: express },
  express_floor: {
    label: "Express, no session",
    floor: true,
    make: () => express(),
  },
  iron_session: { label: "iron-session, cookie", make: ironSession },
  hono_sessions_cookie: {
    label: "hono-sessions, cookie",
    make: (options) => honoSessions(options, "cookie"),
  },
};
