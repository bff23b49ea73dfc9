/**
 * Kills what writes to Postgres, and Postgres itself, over and over, and checks after each kill that
 * everything acknowledged so far is there: `npm run prove -- kill_postgres [--runtime=node] [kills]`.
 */
import process from "node:process";
import { postgresStorage } from "../../adapters/postgres/mod.ts";
import { killClient, killServer, missing } from "../../test/postgres/fixtures/crash.ts";
import { startPostgres } from "../../test/postgres/fixtures/server.ts";

const kills = Number(process.argv[2] ?? 100);
// Off, so that a commit which does not insist would be lost.
const server = await startPostgres({ synchronous_commit: "off" });
const storage = postgresStorage({ url: server.url });
const acknowledged: string[] = [];
let problems = 0;

try {
  for (let kill = 1; kill <= kills; kill++) {
    const first = kill * 1_000_000;
    // Anywhere in the life of a connection, the first moments included.
    const count = 1 + (kill * 37) % 400;
    if (kill % 2 === 0) {
      acknowledged.push(...await killClient(server, first, count));
    } else {
      const round = await killServer(server, storage, first, count);
      acknowledged.push(...round.acknowledged);
      const there = round.refused.length - (await missing(server.url, round.refused)).length;
      if (there > 0) problems += there;
    }
    const gone = await missing(server.url, acknowledged.slice(-5000));
    problems += gone.length;
    if (gone.length > 0) console.log(`kill ${kill}: ${gone.length} acknowledged writes are gone`);
  }
  problems += (await missing(server.url, acknowledged)).length;
} finally {
  await storage.close();
  await server.stop();
}
console.log(`${kills} kills, ${acknowledged.length} acknowledged writes, ${problems} problems`);
process.exit(problems === 0 ? 0 : 1);
