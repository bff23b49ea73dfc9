/** For the compiler only: how the session middleware types a real Hono app. */
import { Hono } from "hono";
import { createFactory, createMiddleware } from "hono/factory";
import { session, type SessionEnv } from "../../adapters/hono/mod.ts";
import type { Holdfast, Session } from "../../mod.ts";

declare const holdfast: Holdfast;

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true
  : false;
function isTrue<_T extends true>(): void {}

// The plain way.
new Hono<SessionEnv>()
  .use(session(holdfast))
  .get("/", async (c) => {
    isTrue<Same<typeof c.var.session, Session>>();
    // @ts-expect-error: there is no such variable.
    c.var.missing;
    await c.get("session").destroy();
    return c.text("ok");
  })
  .get("/inline", session(holdfast, { autoStash: true }), (c) => {
    isTrue<Same<typeof c.var.session, Session>>();
    return c.text("ok");
  });

// With variables and bindings of the app's own.
interface Env extends SessionEnv {
  Bindings: { region: string };
  Variables: SessionEnv["Variables"] & { user: string };
}
new Hono<Env>()
  .use("/app/*", session(holdfast, { admit: (request) => request.method === "POST" }))
  .on(["GET", "POST"], "/app", session(holdfast), (c) => {
    isTrue<Same<typeof c.var.session, Session>>();
    isTrue<Same<typeof c.var.user, string>>();
    return c.text(c.env.region);
  })
  .route("/sub", new Hono<SessionEnv>().use(session(holdfast)));

// In an app that knows of no session, hono/factory carries the type to the handlers after it.
const typed = createMiddleware<SessionEnv>(session(holdfast));
new Hono()
  .get("/route", typed, (c) => {
    isTrue<Same<typeof c.var.session, Session>>();
    return c.text("ok");
  })
  .use(typed)
  .get("/chained", (c) => {
    isTrue<Same<typeof c.var.session, Session>>();
    return c.text("ok");
  });
createFactory<SessionEnv>().createHandlers(session(holdfast), (c) => {
  isTrue<Same<typeof c.var.session, Session>>();
  return c.text("ok");
});

// Without that, it can be mounted, and the type has to be asked for.
new Hono().use(session(holdfast)).get("/untyped", session(holdfast), (c) => {
  // @ts-expect-error: nothing has told this app of the session.
  c.get("session");
  return c.text("ok");
});
