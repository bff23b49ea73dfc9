import * as t from "../harness/mod.ts";
import { postgresStorage } from "../../adapters/postgres/mod.ts";
import { afterAll } from "./fixtures/after_all.ts";
import { killClient, killServer, missing } from "./fixtures/crash.ts";
import { startPostgres } from "./fixtures/server.ts";

// Turned off on purpose: the storage turns it on for its own commits, or the kills lose some.
const server = await startPostgres({ synchronous_commit: "off" });
await afterAll(() => server.stop());

t.test("[PG15] what was acknowledged is there after the client was killed", async () => {
  const acknowledged: string[] = [];
  for (const round of [1, 2, 3]) {
    acknowledged.push(...await killClient(server, round * 1_000_000, 40 * round));
  }
  t.assertEquals(await missing(server.url, acknowledged), []);
}, { timeoutMs: 60_000 });

t.test(
  "[PG16] what was acknowledged is there after the server was killed, and what was refused is not",
  async (context) => {
    const storage = postgresStorage({ url: server.url });
    context.defer(() => storage.close());
    for (const round of [11, 12, 13]) {
      const { acknowledged, refused } = await killServer(server, storage, round * 1_000_000, 300);
      t.assertEquals(await missing(server.url, acknowledged), []);
      t.assertEquals((await missing(server.url, refused)).length, refused.length);
    }
    t.assertEquals((await storage.put("after", "1")).ok, true);
  },
  { timeoutMs: 60_000 },
);
