import { memoryCluster, memoryStorage } from "../../adapters/memory/mod.ts";
import { createHoldfast, type Holdfast } from "../../adapters/web/holdfast.ts";
import { internalsOf } from "../../adapters/web/internals.ts";
import { defineStash } from "../../src/stash/definition.ts";
import type { SessionEnd } from "../../src/stash/notices.ts";
import { assertEquals, test } from "../harness/mod.ts";
import { open } from "../object_model/world.ts";

const Cart = defineStash({
  name: "cart",
  vsn: 1,
  stored: ["items"],
  state: () => ({ items: [] as string[] }),
});

/** Microtasks carry the messages. */
async function carried(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

test("[CU11] a session that ends on one node ends for whoever watches it on another", async (t) => {
  const storage = memoryStorage();
  const cluster = memoryCluster();
  const make = (): Holdfast => {
    const secrets = ["3l5ZQ0sH1vXw8yTtR6pKc2NfJb7MdGaU-secret-a"];
    const made = createHoldfast({ storage: open(storage), secrets, cluster });
    t.defer(async () => void await made.close());
    return made;
  };
  const [a, b] = [make(), make()];
  await carried();
  const ends: [string, SessionEnd][] = [];
  for (const how of ["destroyed", "rotated"] as const) {
    const first = a.open(null);
    const cart = await first.session.stash(Cart);
    cart.state.items.push("kelp");
    await cart.stash();
    const cookie = first.seal()?.split(";")[0] ?? "";
    const token = cookie.slice(cookie.indexOf("=") + 1);
    for (const [name, node] of [["a", a], ["b", b]] as const) {
      const live = await internalsOf(node, "a test").sessions.openLive([token], 0, {});
      live?.watch({ ended: (why) => ends.push([name, why]), changed: () => {} });
    }
    const { session } = a.open(cookie);
    await session.stash(Cart);
    await (how === "destroyed" ? session.destroy() : session.rotate());
    await carried();
  }
  assertEquals(ends.sort(), [
    ["a", "destroyed"],
    ["a", "rotated"],
    ["b", "destroyed"],
    ["b", "rotated"],
  ]);
});
