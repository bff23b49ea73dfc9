/**
 * Sessions in Hono: `app.use(session(holdfast))` gives handlers `c.var.session`. Works with any
 * Hono 4, from npm or JSR: it is typed by what it needs of a context, and imports nothing of Hono.
 *
 * @module
 */
export {
  session,
  type SessionContext,
  type SessionEnv,
  type SessionMiddleware,
  type SessionMiddlewareOptions,
} from "./session.ts";
