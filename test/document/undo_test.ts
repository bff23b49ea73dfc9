import { seededRandom } from "../../adapters/testing/seeded_random.ts";
import { LogStore } from "../../src/document/log_store.ts";
import { Recent } from "../../src/document/recent.ts";
import { defaultEngineLimits } from "../../src/object/engine.ts";
import { RecordStore } from "../../src/object/store.ts";
import { assertEquals, test } from "../harness/mod.ts";
import { gate, open, world } from "../object_model/world.ts";
import { listDocument } from "./list.ts";

test("[DO14] steps that were read of a log which was replaced meanwhile are not taken back", async () => {
  const w = world();
  const List = listDocument();
  const list = w.node().document(List, "a");
  await w.finish(list.mutate({ add: "kelp" }, { actor: "ada" }));
  await w.finish(list.mutate({ add: "rope" }, { actor: "ada" }));
  const reading = gate();
  let isHeld = true;
  const storage = {
    ...open(w.memory),
    get: async (key: string) => {
      const found = await w.memory.get(key);
      if (isHeld) await reading.opened;
      return found;
    },
  };
  const ports = { storage, clock: w.clock, random: seededRandom(9), emit: undefined };
  const log = new LogStore(new RecordStore(ports, defaultEngineLimits));
  const recent = new Recent(List.spec as never, log, "app/document/list/a");
  const late = recent.undoLog(0);
  await w.clock.advance(1);
  // As when another log has begun under the same name: what there was is gone.
  isHeld = false;
  recent.clear();
  for (const key of await w.memory.list("app/document/list/a/log/")) await w.memory.delete(key);
  const entry = { seq: 3, at: 0, actor: "ada", op: { add: "net" }, inverse: { remove: "net" } };
  recent.push([entry], 100);
  const steps = async (undo: typeof late) =>
    (await w.finish(undo)).undoable("ada").map(({ inverse }) => inverse);
  assertEquals(await steps(recent.undoLog(0)), [{ remove: "net" }]);
  reading.open();
  assertEquals(await steps(late), [{ remove: "net" }]);
  assertEquals(await steps(recent.undoLog(0)), [{ remove: "net" }]);
});
