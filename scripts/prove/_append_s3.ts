/**
 * Part of kill_s3: appends ids to one object on S3, eight at a time, and prints each one after its
 * write was acknowledged, until it is killed: `_append_s3.ts <place as JSON> <key> <name>`.
 */
import { writeSync } from "node:fs";
import process from "node:process";
import { s3Storage } from "../../adapters/s3/mod.ts";
import { webClock } from "../../adapters/web/clock.ts";
import { webRandom } from "../../adapters/web/random.ts";
import { Engine } from "../../src/object/engine.ts";
import { append } from "../../test/object/world.ts";

const [place = "", key = "", name = ""] = process.argv.slice(2);
const storage = s3Storage(JSON.parse(place));
const ports = { storage, clock: webClock(), random: webRandom(), emit: undefined };
const engine = new Engine(ports, { storageTimeoutMs: 10_000, replays: 200 });
let count = 0;
await Promise.all(Array.from({ length: 8 }, async () => {
  for (;;) {
    const id = `${name}.${count++}`;
    const done = await engine.run(key, append(id)).then(() => true, () => false);
    // At once and in one piece, so that what the parent has read is what was acknowledged.
    if (done) writeSync(1, `${id}\n`);
  }
}));
