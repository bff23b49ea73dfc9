import { defineView } from "../../adapters/live/mod.ts";
import type { JsonObject } from "../../src/core/json.ts";
import { assert, assertEquals, test } from "../harness/mod.ts";
import { Cart } from "./views.ts";
import { liveWorld, Page } from "./world.ts";

const order = (item: string) => ({
  type: "submit" as const,
  form: { id: "order", data: [["item", item]] as [string, string][] },
});

test("[LV12] a submit is acknowledged when its effect is durable", async () => {
  const at = liveWorld();
  const page = await Page.open(at, at.live([Cart]), "/cart");
  at.storage.plan = ({ operation }) =>
    operation === "put" ? { kind: "none", latencyMs: 700 } : "none";
  const ref = page.fire("order", order("kelp"));
  await at.clock.advance(600);
  assertEquals(page.of("reply"), []);
  await at.until(() => page.of("reply").length === 1);
  const reply = page.of("reply")[0];
  assertEquals([reply?.ref, reply?.ok, reply?.value], [ref, true, 1]);
  assertEquals((await at.theSession()).views["cart"]?.keys["items"], ["kelp"]);
  assertEquals(at.storage.calls.put, 1, "its number is in the same write");
});

test("[LV12] a submit whose answer was lost is not run again, on this node or another", async () => {
  for (const elsewhere of [false, true]) {
    const at = liveWorld();
    const node = at.live([Cart]);
    const page = await Page.open(at, node, "/cart");
    const ref = page.fire("order", order("kelp"));
    await at.clock.advance(0);
    page.socket?.drop();
    await at.clock.advance(1000);
    await page.connect(elsewhere ? at.live([Cart]) : node);
    await page.join();
    assertEquals(page.root().joined?.submitted, ref);
    const again = await page.event("order", { ...order("kelp"), ref });
    assertEquals([again.ok, again.value], [true, undefined]);
    assertEquals(page.root().html, "<ul><li>kelp</li></ul>");
    assertEquals((await page.event("order", order("dulse"))).value, 2);
  }
});

test("[LV12] a submit that two nodes handle has one effect, and the later node starts over", async () => {
  const at = liveWorld();
  const [one, two] = [at.live([Cart]), at.live([Cart])];
  const page = await Page.open(at, one, "/cart");
  await page.event("put", { value: "first" });
  await page.saved();
  // The first node hangs with the submit; to the page its connection is lost.
  at.storage.plan = ({ operation }) =>
    operation === "put" ? { kind: "none", latencyMs: 900 } : "none";
  const half = page.socket;
  const ref = page.fire("order", order("kelp"));
  await at.clock.advance(100);
  if (half !== undefined) half.onFrame = () => {};
  await page.connect(two);
  await page.join();
  assertEquals(page.root().joined?.submitted, 0, "the other node knows nothing of it yet");
  page.fire("order", { ...order("kelp"), ref });
  await at.until(() => page.of("error").length > 0);
  assertEquals(page.of("error")[0]?.code, "replaced");
  await page.join();
  assertEquals(page.root().html, "<ul><li>first</li><li>kelp</li></ul>");
  assertEquals(page.root().joined?.submitted, ref);
  assert(half !== undefined);
});

test("[LV12] what was submitted stays submitted over a change of version", async () => {
  const at = liveWorld();
  const page = await Page.open(at, at.live([Cart]), "/cart");
  const ref = page.fire("order", order("kelp"));
  await at.until(() => page.of("reply").length === 1);
  for (const migrate of [(_from: number, data: JsonObject) => data, undefined]) {
    const Next = defineView({
      name: "cart",
      vsn: migrate === undefined ? 3 : 2,
      stored: ["items"],
      state: () => ({ items: [] as string[] }),
      ...(migrate === undefined ? {} : { migrate }),
      events: {
        put: ({ state }) => void state.items.push("new"),
        order: ({ state }) => void state.items.push("again"),
      },
      render: ({ state }) => state.items.join(),
    });
    await page.reconnect(at.live([Next]));
    assertEquals(page.root().joined?.submitted, ref);
    await page.event("put");
    await page.saved();
    await page.reconnect();
    assertEquals(page.root().joined?.submitted, ref);
  }
});
