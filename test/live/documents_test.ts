import { defineView } from "../../adapters/live/mod.ts";
import type { Membership } from "../../src/document/client.ts";
import { assert, assertEquals, test } from "../harness/mod.ts";
import { type List, listDocument, type ListOp } from "../document/list.ts";
import { liveWorld, Page } from "./world.ts";

const Shared = listDocument();

/** Every view has its own subscription; the state is nowhere but in the document. */
function listView() {
  const joined = new WeakMap<object, Membership<List, ListOp>>();
  return defineView({
    name: "list",
    state: () => ({ refused: "" }),
    async mount(ctx) {
      joined.set(ctx, await ctx.join(Shared, "a", { actor: "ada" }));
    },
    events: {
      async add(ctx, input) {
        const answer = await joined.get(ctx)?.mutate({ add: String(input) });
        ctx.state.refused = answer?.status === "rejected" ? answer.reason : "";
      },
    },
    render: ({ state, ctx }) =>
      `${joined.get(ctx)?.state.items.join(", ")}${
        state.refused === "" ? "" : `: ${state.refused}`
      }`,
  });
}

test("[LV40] a view that has joined a document is rendered again when anybody changes it", async () => {
  const at = liveWorld();
  const node = at.live([listView()]);
  const other = at.node();
  const list = node.holdfast.document(Shared, "a");
  const adding = list.mutate({ add: "kelp" });
  await at.until(() => true);
  await adding;
  const [one, two] = [await Page.open(at, node, "/list"), await Page.open(at, node, "/list")];
  assertEquals([one.root().html, two.root().html], ["kelp", "kelp"]);
  one.fire("add", { value: "rope" });
  await at.until(() => two.root().html === "kelp, rope", "the other page");
  await at.until(() => one.root().html === "kelp, rope", "the own page");
  one.fire("add", { value: "" });
  await at.until(() => one.root().html.endsWith("it is empty"), "why it was refused");
  void other.document(Shared, "a").mutate({ add: "tar" });
  await at.until(() => two.root().html === "kelp, rope, tar", "what another node has stored");
});

test("[LV40] the page for a GET shows the document, and a view that is over listens no more", async () => {
  const at = liveWorld();
  const node = at.live([listView()]);
  const list = node.holdfast.document(Shared, "a");
  await list.mutate({ add: "kelp" });
  const html = await (await node.app.request("https://app.example/list")).text();
  assert(html.includes(">kelp<"), html);
  assertEquals((await list.info()).subscribers, 0);
  await Page.open(at, node, "/list");
  assertEquals((await list.info()).subscribers, 1);
  node.sockets.at(-1)?.drop();
  await at.clock.advance(1000);
  assertEquals((await list.info()).subscribers, 0);
});

test("[LV42] who is here is shown as it changes, and stays for as long as the page is heard of", async () => {
  const at = liveWorld();
  const joined = new WeakMap<object, Membership<List, ListOp>>();
  const Crew = defineView({
    name: "crew",
    state: () => ({}),
    async mount(ctx) {
      const member = await ctx.join(Shared, "a", { actor: String(ctx.url.search) });
      joined.set(ctx, member);
      if (ctx.connected) member.here({ at: ctx.url.search });
    },
    render: ({ ctx }) =>
      Object.values(joined.get(ctx)?.presence ?? {}).map(({ actor }) => actor).sort().join(),
  });
  const node = at.live([Crew]);
  const ada = await Page.open(at, node, "/crew?ada");
  const bob = await Page.open(at, node, "/crew?bob");
  await at.until(() => ada.root().html === "?ada,?bob" && bob.root().html === "?ada,?bob");
  // Longer than somebody who is not heard of is shown.
  for (let n = 1; n <= 6; n++) {
    await at.clock.advance(20_000);
    ada.send({ t: "ping", n });
  }
  await at.until(() => ada.root().html === "?ada", "bob was not heard of");
  ada.send({ t: "ping", n: 7 });
  bob.socket?.drop();
  await at.clock.advance(1000);
  assertEquals(ada.root().html, "?ada");
});
