import { assertEquals, assertRejects, test } from "../harness/mod.ts";
import { type HandleOptions, handleSession, type Holdfast, type Session } from "../../mod.ts";
import { Cart, Prefs } from "./definitions.ts";
import { world } from "./world.ts";

type Handler = (session: Session) => Response | Promise<Response>;

const request = (cookie?: string): Request =>
  new Request("https://example.com/", cookie === undefined ? {} : { headers: { cookie } });

const cookieOf = (response: Response): string =>
  response.headers.get("set-cookie")?.split(";")[0] ?? "";

const auto = (node: Holdfast, handler: Handler, cookie?: string): Promise<Response> => {
  const options: HandleOptions = { autoStash: true };
  return handleSession(node, request(cookie), handler, options);
};

test("[SH24] with autoStash, every changed stash is stored before the response leaves", async () => {
  const at = world();
  const one = at.node();
  const response = await auto(one, async (session) => {
    (await session.stash(Cart)).state.items.push("kelp");
    (await session.stash(Prefs)).state.theme = "dark";
    return new Response("ok");
  });
  const { cart, prefs } = (await at.theSession()).views;
  assertEquals([cart?.keys, prefs?.keys], [{ items: ["kelp"] }, { theme: "dark" }]);
  const puts = at.storage.calls.put;
  await auto(one, async (session) => {
    await session.stash(Cart);
    return new Response("ok");
  }, cookieOf(response));
  await at.finish(Promise.resolve());
  assertEquals(at.storage.calls.put, puts + 1, "more was written than that the client is back");
});

test("[SH24] without autoStash, what was not stashed is not stored", async () => {
  const at = world();
  const response = await handleSession(at.node(), request(), async (session) => {
    (await session.stash(Cart)).state.items.push("kelp");
    return new Response("ok");
  });
  assertEquals([at.memory.size, response.headers.get("set-cookie")], [0, null]);
});

test("[SH24] with autoStash, a failure to store fails the request, and the other stashes are stored", async () => {
  const at = world();
  const one = at.node();
  await assertRejects(
    () =>
      auto(one, async (session) => {
        Object.assign((await session.stash(Cart)).state, { items: [1n] });
        (await session.stash(Prefs)).state.theme = "dark";
        return new Response("ok");
      }),
    "ERR_INVALID_VALUE",
  );
  assertEquals((await at.theSession()).views, { prefs: { vsn: 1, keys: { theme: "dark" } } });
  at.storage.plan = () => "refuse";
  const failing = auto(one, async (session) => {
    (await session.stash(Cart)).state.items.push("kelp");
    return new Response("ok");
  });
  await assertRejects(() => at.finish(failing), "ERR_STORAGE_UNAVAILABLE");
});

test("[SH24] with autoStash, a stash that could not be recovered and was not changed fails nothing", async () => {
  const at = world();
  const one = at.node();
  const cookie = cookieOf(
    await auto(one, async (session) => {
      (await session.stash(Cart)).state.items.push("kelp");
      return new Response("ok");
    }),
  );
  at.storage.plan = () => "refuse";
  const reading = auto(at.node(), async (session) => {
    return new Response((await session.stash(Cart)).status);
  }, cookie);
  assertEquals(await (await at.finish(reading)).text(), "error");
  const changing = auto(at.node(), async (session) => {
    (await session.stash(Cart)).state.items.push("eel");
    return new Response("ok");
  }, cookie);
  await assertRejects(() => at.finish(changing), "ERR_UNRECOVERED");
});

test("[SE22] the response that onError makes carries the cookie of a session that rotated before", async () => {
  const at = world();
  const one = at.node();
  const first = await handleSession(one, request(), async (session) => {
    const cart = await session.stash(Cart);
    cart.state.items.push("kelp");
    await cart.stash();
    return new Response("ok");
  });
  const login: Handler = async (session) => {
    await session.rotate();
    throw new Error("no template");
  };
  const second = await handleSession(one, request(cookieOf(first)), login, {
    onError: (error) => new Response((error as Error).message, { status: 500 }),
  });
  assertEquals([second.status, await second.text()], [500, "no template"]);
  const third = await handleSession(one, request(cookieOf(second)), async (session) => {
    return Response.json((await session.stash(Cart)).state.items);
  });
  assertEquals(await third.json(), ["kelp"]);
  await assertRejects(
    () => handleSession(one, request(cookieOf(second)), login),
    /no template/,
  );
});
