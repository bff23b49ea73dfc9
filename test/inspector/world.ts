/** An application with an inspector, in time that the test turns. */
import { Hono } from "hono";
import { session, type SessionEnv } from "../../adapters/hono/mod.ts";
import { createInspector, type InspectorOptions } from "../../adapters/inspector/mod.ts";
import { type AnyView, createLive, defineView, type Live } from "../../adapters/live/mod.ts";
import {
  defineObject,
  defineStash,
  type DocumentDefinition,
  type Holdfast,
  type HoldfastOptions,
  type ObjectDefinition,
  type StashDefinition,
  type Tree,
  treeDocument,
  type TreeOp,
} from "../../mod.ts";
import type { TelemetryEvent } from "../../src/ports/telemetry.ts";
import { fakeUpgrade, type LiveNode, type LiveWorld, liveWorld, origin } from "../live/world.ts";

export { origin };

export const base = "/_holdfast";

interface BerthState {
  ship: unknown;
  calls: number;
}

/** What a test's objects can do. */
interface BerthHandlers {
  dock: (ctx: { state: BerthState }, ship?: unknown) => number;
  later: (
    ctx: { schedule: (name: "leave" | "fail", when: number) => void },
    name: "leave" | "fail",
    ms: number,
  ) => void;
  slow: (ctx: { state: BerthState }) => Promise<void>;
}

/** Lets the handlers that wait go on. */
export const gates: (() => void)[] = [];

export const Berth: ObjectDefinition<BerthState, BerthHandlers> = defineObject({
  name: "berth",
  vsn: 3,
  shutdownAfterMs: 3_600_000,
  state: (): BerthState => ({ ship: "none", calls: 0 }),
  handlers: {
    dock: ({ state }: { state: BerthState }, ship: unknown = "kelp") => {
      state.ship = ship;
      return ++state.calls;
    },
    later: (
      { schedule }: { schedule: (name: "leave" | "fail", when: number) => void },
      name: "leave" | "fail",
      ms: number,
    ) => schedule(name, ms),
    slow: async ({ state }: { state: BerthState }) => {
      await new Promise<void>((resolve) => gates.push(resolve));
      state.calls++;
    },
  },
  alarms: {
    leave: ({ state }) => void (state.ship = "none"),
    fail: () => {
      throw new Error("the crane is broken");
    },
  },
});

export const Chart: DocumentDefinition<Tree, TreeOp> = treeDocument({ name: "chart", vsn: 2 });

export const Cart: StashDefinition<{ items: string[] }> = defineStash({
  name: "cart",
  vsn: 1,
  stored: ["items"],
  state: () => ({ items: [] as string[] }),
});

export const Shop: AnyView = defineView({
  name: "shop",
  state: () => ({}),
  render: () => "<p>shop</p>",
});

/** A node of the application. */
export interface Harbour extends LiveNode {
  readonly at: LiveWorld;
  readonly holdfast: Holdfast;
  /** The live views of the application. */
  readonly shop: Live;
  readonly events: TelemetryEvent[];
  /** Asks for something below the inspector, as the page of the origin does. */
  ask(path: string, init?: RequestInit): Promise<Response>;
  /** The HTML of a page of the inspector. */
  page(path: string): Promise<string>;
  /** Posts a form to the inspector. */
  post(
    path: string,
    fields: Readonly<Record<string, string>>,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Response>;
}

/** Opens the harbour. Whoever asks is let in, unless `authorize` says otherwise. */
export function harbour(
  options: InspectorOptions = {},
  more: Partial<HoldfastOptions> = {},
): Harbour {
  const at = liveWorld();
  const holdfast = at.node({ objects: [Berth], ...more });
  const sockets: LiveNode["sockets"] = [];
  const shop = createLive(holdfast, { views: [Shop], node: "pier-1" });
  const inspector = createInspector(holdfast, {
    authorize: () => true,
    live: shop,
    upgradeWebSocket: fakeUpgrade(sockets),
    ...options,
  });
  const app = new Hono<SessionEnv>();
  app.all(`${base}/*`, inspector.routes());
  app.use(session(holdfast));
  app.post("/add", async (c) => {
    const cart = await c.var.session.stash(Cart);
    cart.state.items.push("kelp");
    await cart.stash();
    return c.text("added");
  });
  const ask: Harbour["ask"] = (path, init) =>
    at.finish(Promise.resolve(app.request(origin + base + path, init)));
  return {
    at,
    holdfast,
    shop,
    live: shop,
    app,
    sockets,
    path: `${base}/live`,
    events: at.events,
    ask,
    page: async (path) => await (await ask(path)).text(),
    post: (path, fields, headers = {}) =>
      ask(path, {
        method: "POST",
        headers: { origin, "content-type": "application/x-www-form-urlencoded", ...headers },
        body: new URLSearchParams(fields).toString(),
      }),
  };
}

/** What a page shows, without its tags and its own token. */
export function textOf(html: string): string {
  const body = html.slice(html.indexOf("<main"));
  return body.replace(/<[^>]*>/g, " ").replace(/\s+/g, " ");
}

/** The value of a tile. */
export function tileOf(html: string, name: string): string {
  const found = new RegExp(`<dt>${name}</dt>\\s*<dd>(.*?)</dd>`, "s").exec(html);
  return (found?.[1] ?? "").replace(/<[^>]*>/g, " ").replace(/\s+/g, " ").trim();
}
