/** An app on real Hono and memory, and ways to talk to it. */
import { Hono } from "hono";
import {
  session,
  type SessionEnv,
  type SessionMiddlewareOptions,
} from "../../adapters/hono/mod.ts";
import { memoryStorage } from "../../adapters/memory/mod.ts";
import { type FaultyStorage, faultyStorage } from "../../adapters/testing/mod.ts";
import {
  createHoldfast,
  defineStash,
  type Holdfast,
  type Stash,
  type StashDefinition,
} from "../../mod.ts";
import { assert, assertEquals } from "../harness/mod.ts";
import type { TestContext } from "../harness/mod.ts";

export const Cart: StashDefinition<{ items: string[] }> = defineStash({
  name: "cart",
  vsn: 1,
  stored: ["items"],
  state: () => ({ items: [] as string[] }),
});

export interface Rig {
  readonly holdfast: Holdfast;
  readonly storage: FaultyStorage;
  readonly secret: Uint8Array<ArrayBuffer>;
  /** An app with the middleware on every path. */
  readonly app: Hono<SessionEnv>;
}

/** An app with the middleware mounted first; of another app it takes over storage and secret. */
export function rig(t: TestContext, options?: SessionMiddlewareOptions, other?: Rig): Rig {
  const storage = other?.storage ?? faultyStorage(memoryStorage(), { plan: () => "none" });
  const secret = other?.secret ?? crypto.getRandomValues(new Uint8Array(32));
  const holdfast = createHoldfast({
    storage,
    secrets: [secret],
    limits: { storageTimeoutMs: 100 },
    sweepEveryMs: Infinity,
  });
  t.defer(async () => void await holdfast.close({ withinMs: 1000 }));
  const app = new Hono<SessionEnv>();
  app.use(session(holdfast, options));
  app.onError((error, c) => c.text(`error page: ${error.message}`, 500));
  return { holdfast, storage, secret, app };
}

/** Changes the cart, without storing it. */
export async function fill(
  c: { readonly var: SessionEnv["Variables"] },
  item = "kelp",
): Promise<Stash<{ items: string[] }>> {
  const cart = await c.var.session.stash(Cart);
  cart.state.items.push(item);
  return cart;
}

/** The session cookies a response sets. */
export function cookiesOf(response: Response): readonly string[] {
  return response.headers.getSetCookie().filter((line) => line.startsWith("__Host-holdfast="));
}

/** The one session cookie a response sets, as a request sends it. */
export function cookieOf(response: Response): string {
  const lines = cookiesOf(response);
  assertEquals(lines.length, 1, "session cookies in the response");
  const [pair] = (lines[0] ?? "").split(";");
  assert(pair !== undefined && !pair.endsWith("="), "a cookie with a value");
  return pair;
}

/** What a session has in its cart, seen from outside of the app. */
export async function cartOf(holdfast: Holdfast, cookie: string): Promise<readonly string[]> {
  return (await holdfast.open(cookie).session.stash(Cart)).state.items;
}
