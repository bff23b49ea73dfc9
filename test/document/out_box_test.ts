import { OutBox } from "../../src/document/out_box.ts";
import { assert, assertEquals, test } from "../harness/mod.ts";
import { world } from "../object_model/world.ts";

test("[DO20] a client that lags but reads on is not closed for the answers it has had", async () => {
  const { clock } = world();
  let waiting = 9000;
  let overflows = 0;
  let sent = 0;
  const out = new OutBox({
    clock,
    send: (text) => {
      sent++;
      waiting += text.length;
    },
    buffered: () => waiting,
    drained: () => {},
    overflow: () => void overflows++,
  }, 10_000);
  out.open(["part", "part"]);
  for (let n = 0; n < 20; n++) out.add("a".repeat(100));
  for (let n = 0; n < 500; n++) {
    // As much goes as comes, and something always waits.
    for (let answers = 0; answers < 4; answers++) out.add("a".repeat(100));
    waiting = 2150;
    await clock.advance(50);
  }
  assertEquals(overflows, 0);
  assert(sent > 2000 && sent < 2022, `${sent} of 2022 were sent`);
});
