/**
 * Sessions in Hono: `app.use(session(holdfast))` gives handlers `c.var.session`. Works with any
 * Hono 4, from npm or JSR: it is typed by what it needs of a context, and imports nothing of Hono.
 * `documentSocket()` makes the route that documents in the browser connect to, and `health()` the answers
 * for probes.
 *
 * @module
 */
export {
  type DocumentAccess,
  type DocumentContext,
  documentSocket,
  type DocumentSocketOptions,
} from "./documents.ts";
export {
  type Health,
  health,
  type HealthOptions,
  type HealthReport,
  type Lack,
} from "../web/health.ts";
export type { ConnectionLimits } from "../../src/document/connection.ts";
export {
  session,
  type SessionContext,
  type SessionEnv,
  type SessionMiddleware,
  type SessionMiddlewareOptions,
} from "./session.ts";
