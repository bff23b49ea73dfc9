import * as t from "../harness/mod.ts";
import { memoryStorage } from "../../adapters/memory/mod.ts";
import { storageSuite } from "../../adapters/testing/mod.ts";

storageSuite(t, "memory", () => Promise.resolve(memoryStorage()));

t.test("[MS1] size counts the keys that are there", async () => {
  const storage = memoryStorage();
  await storage.put("a", "1");
  await storage.put("b", "1");
  await storage.put("b", "2");
  t.assertEquals(storage.size, 2);
  await storage.delete("a");
  t.assertEquals(storage.size, 1);
});

t.test("[MS2] two memory storages share nothing", async () => {
  const [one, other] = [memoryStorage(), memoryStorage()];
  await one.put("a", "1");
  t.assertEquals(await other.get("a"), undefined);
});
