import { memoryStorage } from "../../adapters/memory/mod.ts";
import { faultyStorage } from "../../adapters/testing/mod.ts";
import { createHoldfast } from "../../mod.ts";
import { assert, assertEquals, test } from "../harness/mod.ts";
import { runtime } from "./process.ts";

// Node has to be told what the example means by the package's own name, before it is loaded.
const hook = "../../scripts/source.mjs";
if (runtime === "node") await import(hook);
const { createApp } = await import("../../examples/order_wizard/app.ts");

test("[EX11] while storage fails a form gets 503 and back what was typed, and sent again it works", async (t) => {
  const storage = faultyStorage(memoryStorage(), { plan: () => "none" });
  const holdfast = createHoldfast({
    storage,
    secrets: [crypto.getRandomValues(new Uint8Array(32))],
    limits: { storageTimeoutMs: 50 },
  });
  t.defer(async () => void await holdfast.close());
  const app = createApp(holdfast, { runtime: "test", stored: "memory", durable: false });
  const post = (path: string, fields: Record<string, string>, cookie = "") =>
    app.request(`http://localhost${path}`, {
      method: "POST",
      headers: { origin: "http://localhost", ...(cookie === "" ? {} : { cookie }) },
      body: new URLSearchParams(fields),
    });
  const first = await post("/cart", { product: "kelp" });
  const cookie = first.headers.get("set-cookie")?.split(";")[0] ?? "";
  storage.plan = ({ operation }) => operation === "put" ? "refuse" : "none";
  const fields = { note: "typed <for> nothing?", page: "AAAAAAAAAAAAAAAA" };
  const failed = await post("/note", fields, cookie);
  const body = await failed.text();
  assertEquals([failed.status, failed.headers.get("retry-after")], [503, "5"]);
  assertEquals(failed.headers.getSetCookie(), []);
  assert(body.includes("typed &lt;for&gt; nothing?"), "what was typed is on the page");
  assert(body.includes('value="AAAAAAAAAAAAAAAA"'), "and so is the page instance");
  storage.plan = () => "none";
  const again = await post("/note", fields, cookie);
  assertEquals(again.headers.get("location"), "/?page=AAAAAAAAAAAAAAAA");
  const cart = await app.request("/api/cart?page=AAAAAAAAAAAAAAAA", { headers: { cookie } });
  const { lines, note }: { lines: unknown[]; note: string } = await cart.json();
  assertEquals([lines.length, note], [1, "typed <for> nothing?"]);
});
