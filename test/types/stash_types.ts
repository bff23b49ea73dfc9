/** Compile-time tests: checked by `npm run check`, never executed. */
import * as v from "valibot";
import {
  defineStash,
  handleSession,
  type Holdfast,
  type JsonObject,
  type Session,
  type Stash,
  type StashDefinition,
  type StashStatus,
} from "../../mod.ts";

/** Compiles only if both types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true
  : false;

function holds<_T extends true>(): void {}

declare const session: Session;
declare const holdfast: Holdfast;

interface Item {
  readonly id: string;
  amount: number;
}

interface CartState {
  items: Item[];
  note: string | null;
}

// The state's type flows from state().

const Cart = defineStash({
  name: "cart",
  vsn: 2,
  stored: { items: "session", note: "reconnect" },
  state: (): CartState => ({ items: [], note: null }),
  migrate: (from, data) => {
    holds<Same<typeof from, number>>();
    holds<Same<typeof data, JsonObject>>();
    return { ...data, items: data["cart"] ?? [] };
  },
});
holds<Same<typeof Cart, StashDefinition<CartState>>>();

const Inferred = defineStash({
  name: "inferred",
  vsn: 1,
  stored: ["theme"],
  state: () => ({ theme: "light" as "light" | "dark", visits: 0 }),
});
holds<
  Same<typeof Inferred, StashDefinition<{ theme: "light" | "dark"; visits: number }>>
>();

// A schema of any library is taken as it is.
defineStash({
  name: "checked",
  vsn: 1,
  stored: ["theme"],
  state: () => ({ theme: "light" }),
  schema: v.object({ theme: v.picklist(["light", "dark"]) }),
});

// stored takes keys of the state, and scopes.

// @ts-expect-error: the state has no such key
defineStash({ name: "a", vsn: 1, stored: ["other"], state: () => ({ theme: "" }) });

// @ts-expect-error: the state has no such key
defineStash({ name: "a", vsn: 1, stored: { other: "session" }, state: () => ({ theme: "" }) });

// @ts-expect-error: the scope is reserved
defineStash({ name: "a", vsn: 1, stored: { theme: "permanent" }, state: () => ({ theme: "" }) });

// @ts-expect-error: there is no such scope
defineStash({ name: "a", vsn: 1, stored: { theme: "forever" }, state: () => ({ theme: "" }) });

// @ts-expect-error: an optional scope is left out, not undefined
defineStash({ name: "a", vsn: 1, stored: { theme: undefined }, state: () => ({ theme: "" }) });

// @ts-expect-error: stored is not optional, so that nothing is forgotten
defineStash({ name: "a", vsn: 1, state: () => ({ theme: "" }) });

// @ts-expect-error: the state is an object
defineStash({ name: "a", vsn: 1, stored: [], state: () => "theme" });

// @ts-expect-error: vsn is a number
defineStash({ name: "a", vsn: "1", stored: [], state: () => ({}) });

// @ts-expect-error: not a Standard Schema
defineStash({ name: "a", vsn: 1, stored: [], state: () => ({}), schema: { parse: () => true } });

// What is defined does not change.

// @ts-expect-error: read-only
Cart.vsn = 3;

// A stash is typed by its definition.

async function uses(): Promise<void> {
  const cart = await session.stash(Cart);
  holds<Same<typeof cart, Stash<CartState>>>();
  holds<Same<typeof cart.state, CartState>>();
  holds<Same<typeof cart.status, StashStatus>>();
  cart.state.items.push({ id: "kelp", amount: 1 });
  cart.state = { items: [], note: "" };

  // @ts-expect-error: an item has an amount
  cart.state.items.push({ id: "kelp" });

  // @ts-expect-error: the state has no such key
  cart.state.other = 1;

  // @ts-expect-error: what became of it is not for the request to say
  cart.status = "recovered";

  holds<Same<Awaited<ReturnType<typeof cart.stash>>, boolean>>();
  await session.stash(Cart, { page: cart.page });

  // @ts-expect-error: a page is text
  await session.stash(Cart, { page: 1 });

  // @ts-expect-error: only what defineStash() made
  await session.stash({ name: "cart" });
}

// update() gets the state, and takes nothing or a state back.

async function updates(cart: Stash<CartState>): Promise<void> {
  const updated = await cart.update((state) => {
    holds<Same<typeof state, CartState>>();
    state.note = "typed";
  });
  holds<Same<typeof updated, CartState>>();
  await cart.update((state) => ({ ...state, note: null }));
  await cart.update(async (state) => {
    await Promise.resolve();
    state.items = [];
  });

  // @ts-expect-error: what push() returns is no state
  await cart.update((state) => state.items.push({ id: "kelp", amount: 1 }));

  // @ts-expect-error: a state has items
  await cart.update(() => ({ note: "" }));

  // @ts-expect-error: the state has no such key
  await cart.update((state) => void (state.other = 1));
}

// Definitions of different states are different.

const prefs: StashDefinition<{ theme: string }> = defineStash({
  name: "prefs",
  vsn: 1,
  stored: ["theme"],
  state: () => ({ theme: "" }),
});

// @ts-expect-error: another state
const wrong: StashDefinition<CartState> = prefs;

// A handler is given a session and answers with a response.

void handleSession(holdfast, new Request("https://example.com/"), async (session) => {
  holds<Same<typeof session, Session>>();
  const { state } = await session.stash(Inferred);
  return new Response(state.theme);
}, { autoStash: true, admit: (request) => request.method === "POST" });

// @ts-expect-error: no response
void handleSession(holdfast, new Request("https://example.com/"), () => "text");

export { updates, uses, wrong };
