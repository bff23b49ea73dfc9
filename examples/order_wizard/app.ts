/** The app: routes only; what it shows is in `views`, what it keeps in `stashes.ts`. */
import { HoldfastError, type Stash, type StashDefinition } from "holdfast";
import type { Holdfast } from "holdfast";
import { session, type SessionEnv } from "holdfast/hono";
import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { csrf } from "hono/csrf";
import { secureHeaders } from "hono/secure-headers";
import { maxLines, maxQuantity, productOf, rowsOf, totalOf } from "./catalog.ts";
import { countOf, type Fields, fieldsOf, idOf, readAddress } from "./forms.ts";
import { Order, type OrderState, Settings, themes } from "./stashes.ts";
import { addressPage } from "./views/address.tsx";
import { donePage } from "./views/done.tsx";
import { itemsPage } from "./views/items.tsx";
import type { Html, View } from "./views/layout.tsx";
import { reviewPage } from "./views/review.tsx";
import { style } from "./views/style.ts";
import { troubleOf, troublePage } from "./views/trouble.tsx";

/** What the footer tells about this process. */
export interface About {
  readonly runtime: string;
  readonly stored: string;
  /** Whether it outlives the process. */
  readonly durable: boolean;
}

interface Env extends SessionEnv {
  Variables: SessionEnv["Variables"] & { fields: Fields };
}
type Ctx = Context<Env>;

/** Steps a form may send the user back to; anything else would be an open redirect. */
const steps = ["/", "/address", "/review", "/done"];

/** Makes the app on a holdfast. */
export function createApp(holdfast: Holdfast, about: About): Hono<Env> {
  const app = new Hono<Env>();
  protect(app);
  app.get("/style.css", (c) => c.body(style, 200, { "content-type": "text/css; charset=utf-8" }));
  app.get("/favicon.ico", (c) => c.body(null, 204));
  app.use(session(holdfast));
  app.use(async (c, next) => {
    await next();
    // Pages depend on the session, and going back must show what is true now.
    if (!c.res.headers.has("cache-control")) c.header("cache-control", "private, no-cache");
  });
  app.post("*", async (c, next) => {
    const body = await c.req.formData().catch(() => undefined);
    if (body === undefined) return c.text("Only forms can be sent here", 415);
    c.set("fields", fieldsOf(body));
    await next();
  });
  showSteps(app, about);
  takeOrders(app, about);
  keepSettings(app);
  app.onError((error, c) => trouble(c, error, about));
  return app;
}

/** Everything that is refused before a session is looked at. */
function protect(app: Hono<Env>): void {
  app.use(secureHeaders({
    // With the default, no-referrer, browsers send forms with "Origin: null", and csrf() refuses them.
    referrerPolicy: "same-origin",
    contentSecurityPolicy: {
      defaultSrc: ["'none'"],
      styleSrc: ["'self'"],
      formAction: ["'self'"],
      baseUri: ["'none'"],
      frameAncestors: ["'none'"],
    },
  }));
  app.use(csrf());
  app.use(bodyLimit({ maxSize: 32 * 1024 }));
}

/** Recovers a stash, or throws why it cannot be read: the page would show an empty cart as true. */
async function recover<S extends object>(
  c: Ctx,
  definition: StashDefinition<S>,
  page?: string,
): Promise<Stash<S>> {
  const stash = await c.var.session.stash(definition, page === undefined ? {} : { page });
  if (stash.status === "error") throw stash.cause;
  if (stash.status === "newer") {
    throw new HoldfastError("ERR_NEWER_VERSION", "Cannot show the page: a newer version stored it");
  }
  return stash;
}

/** The order, with the draft of the page this request comes from. */
function orderOf(c: Ctx): Promise<Stash<OrderState>> {
  const page = c.req.method === "POST" ? c.var.fields["page"] : c.req.query("page");
  return recover(c, Order, page);
}

async function viewOf(c: Ctx, order: Stash<OrderState>, about: About): Promise<View> {
  const { state: { theme, name } } = await recover(c, Settings);
  const { state, page } = order;
  return { order: state, page, theme, name, about, path: c.req.path };
}

/** After a form, so that reloading does not send it again; the page takes its draft along. */
function backTo(c: Ctx, path: string, page: string): Response {
  return c.redirect(`${path}?page=${page}`, 303);
}

function showSteps(app: Hono<Env>, about: About): void {
  const show = (
    path: string,
    render: (view: View) => Html,
    ready?: (state: OrderState) => string,
  ) =>
    app.get(path, async (c) => {
      const order = await orderOf(c);
      const missing = ready?.(order.state) ?? "";
      if (missing !== "") return backTo(c, missing, order.page);
      return c.html(render(await viewOf(c, order, about)));
    });
  show("/", itemsPage);
  show("/address", (view) => addressPage(view), ({ lines }) => lines.length === 0 ? "/" : "");
  show("/review", reviewPage, missingStep);
  show("/done", donePage, ({ placed }) => placed.length === 0 ? "/" : "");
  app.get("/api/cart", async (c) => {
    const { state } = await orderOf(c);
    return c.json({ lines: state.lines, note: state.note });
  });
}

function missingStep({ lines, address }: OrderState): string {
  return lines.length === 0 ? "/" : address === null ? "/address" : "";
}

function takeOrders(app: Hono<Env>, about: About): void {
  app.post("/cart", async (c) => {
    const { product = "", quantity, line } = c.var.fields;
    const id = idOf(line);
    const order = await orderOf(c);
    if (productOf(product) === undefined) return backTo(c, "/", order.page);
    // One step on what is stored now: two tabs and two clicks count right.
    await order.update(({ lines }) => {
      if (lines.length >= maxLines || lines.some((one) => one.id === id)) return;
      lines.push({ id, product, quantity: countOf(quantity, maxQuantity) });
    });
    return backTo(c, "/", order.page);
  });

  app.post("/cart/remove", async (c) => {
    const order = await orderOf(c);
    await order.update((state) => {
      state.lines = state.lines.filter(({ product }) => product !== c.var.fields["product"]);
    });
    return backTo(c, "/", order.page);
  });

  app.post("/note", async (c) => {
    const order = await orderOf(c);
    order.state.note = (c.var.fields["note"] ?? "").slice(0, 1000);
    await order.stash();
    return backTo(c, "/", order.page);
  });

  app.post("/address", async (c) => {
    const order = await orderOf(c);
    const { address, mistakes } = readAddress(c.var.fields);
    if (Object.keys(mistakes).length > 0) {
      const view = await viewOf(c, order, about);
      return c.html(addressPage(view, address, mistakes), 422);
    }
    order.state.address = address;
    await order.stash();
    return backTo(c, "/review", order.page);
  });

  app.post("/review", async (c) => {
    const order = await orderOf(c);
    const id = idOf(c.var.fields["order"]);
    const { placed } = await order.update((state) => {
      // Sent twice, or changed in another tab: there is nothing to place.
      if (missingStep(state) !== "" || state.placed.some((one) => one.id === id)) return;
      const { lines } = state;
      state.placed = [{ id, lines, cents: totalOf(rowsOf(lines)) }, ...state.placed].slice(0, 3);
      state.lines = [];
      state.note = "";
    });
    return backTo(c, placed.some((one) => one.id === id) ? "/done" : "/", order.page);
  });
}

function keepSettings(app: Hono<Env>): void {
  const back = (c: Ctx): Response => {
    const { back: path = "/", page = "" } = c.var.fields;
    return backTo(c, steps.includes(path) ? path : "/", encodeURIComponent(page));
  };

  app.post("/theme", async (c) => {
    const settings = await recover(c, Settings);
    settings.state.theme = themes.find((theme) => theme === c.var.fields["theme"]) ?? "auto";
    await settings.stash();
    return back(c);
  });

  app.post("/login", async (c) => {
    const name = (c.var.fields["name"] ?? "").trim().slice(0, 40);
    // A new id for whoever this is now: an id that was planted or seen before is worth nothing.
    await c.var.session.rotate();
    const settings = await recover(c, Settings);
    settings.state.name = name;
    await settings.stash();
    return back(c);
  });

  app.post("/logout", async (c) => {
    await c.var.session.destroy();
    return c.redirect("/", 303);
  });
}

/** The page for what went wrong; it has what was typed, and can send it again. */
async function trouble(c: Ctx, error: Error, about: About): Promise<Response> {
  if ("getResponse" in error && typeof error.getResponse === "function") return error.getResponse();
  const problem = troubleOf(error);
  // Whatever is unexpected is for whoever runs this, and only its code and message.
  if (problem.status === 500) console.error(`${c.req.method} ${c.req.path}: ${error.message}`);
  if (problem.retryable) c.header("retry-after", "5");
  const sent = c.req.method === "POST" ? { path: c.req.path, fields: c.get("fields") ?? {} } : null;
  return c.html(await troublePage(problem, sent, about), problem.status);
}
