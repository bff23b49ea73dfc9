// Runs in a stranger's folder: imports every subpath and has the package do something real.
import assert from "node:assert/strict";
import { rmSync } from "node:fs";

/** Subpath → its module. */
const modules = new Map();
for (const specifier of process.argv.slice(2)) {
  const module = await import(specifier);
  assert.ok(Object.keys(module).length > 0, `"${specifier}" exports nothing`);
  modules.set(specifier, module);
}

async function keepsText(storage) {
  const first = await storage.put("k", "1", { ifNoneMatch: "*" });
  assert.equal(first.ok, true);
  assert.equal((await storage.put("k", "2", { ifNoneMatch: "*" })).ok, false);
  assert.equal((await storage.get("k")).value, "1");
  await storage.close?.();
}

await keepsText(modules.get("holdfast/memory").memoryStorage());
await keepsText(modules.get("holdfast/file").fileStorage("data"));
await keepsText(modules.get("holdfast/sqlite").sqliteStorage("app.db"));

// A cart that outlives the process that filled it, as far as one process can tell.
const { createHoldfast, defineStash } = modules.get("holdfast");
const secrets = [crypto.getRandomValues(new Uint8Array(32))];
const Cart = defineStash({
  name: "cart",
  vsn: 1,
  stored: ["items"],
  state: () => ({ items: [] }),
});

async function withCart(cookieHeader, use) {
  const { sqliteStorage } = modules.get("holdfast/sqlite");
  const holdfast = createHoldfast({ storage: sqliteStorage("app.db"), secrets });
  const opened = holdfast.open(cookieHeader);
  await use(await opened.session.stash(Cart));
  const cookie = opened.seal()?.split(";")[0];
  assert.equal((await holdfast.close()).complete, true);
  return cookie;
}

const cookie = await withCart(null, async (cart) => {
  cart.state.items.push("kelp");
  await cart.stash();
});
await withCart(cookie, (cart) => assert.deepEqual(cart.state.items, ["kelp"]));

// The folder is used by one runtime after the other.
for (const name of ["data", "app.db", "app.db-wal", "app.db-shm"]) {
  rmSync(name, { recursive: true, force: true });
}
