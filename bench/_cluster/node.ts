// A node of the cluster under measurement: does what its standard input says, one JSON line per answer.
import process from "node:process";
import { createInterface } from "node:readline";
import { connect } from "@nats-io/transport-node";
import type { NatsConnection } from "../../adapters/nats/connect.ts";
import { natsCluster, natsStorage } from "../../adapters/nats/mod.ts";
import { createHoldfast } from "../../adapters/web/holdfast.ts";
import { failOver } from "./fail_over.ts";
import { measureLatency } from "./latency.ts";
import { measureLoad } from "./load.ts";
import { here, Place } from "./place.ts";
import type { Command } from "./process.ts";

const [servers = "", name = "", others = "1"] = process.argv.slice(2);
here.name = name;
// As `natsCluster({ servers })` connects, but ours, so that a bare request goes the same way.
const connection: NatsConnection = await connect({
  servers,
  maxReconnectAttempts: -1,
  reconnectTimeWait: 250,
  noAsyncTraces: true,
});
connection.subscribe(`bare.${name}`, {
  callback: (error, message) => {
    if (error === null) message.respond(new TextDecoder().decode(message.data));
  },
});
const holdfast = createHoldfast({
  storage: natsStorage({ servers }),
  secrets: ["a secret of benches only, which opens nothing: 0123456789"],
  objects: [Place],
  cluster: natsCluster({ connection }),
});
while ((holdfast.nodes?.members.length ?? 0) < Number(others)) {
  await new Promise((resolve) => setTimeout(resolve, 10));
}
// Until all are of one mind.
await new Promise((resolve) => setTimeout(resolve, 2200));
console.log(JSON.stringify("ready"));

/** Ids whose objects another node owns, or this one. */
async function idsOf(owner: string, count: number): Promise<readonly string[]> {
  const ids: string[] = [];
  for (let i = 0; ids.length < count; i++) {
    if (await holdfast.object(Place, `id-${i}`).where() === owner) ids.push(`id-${i}`);
  }
  return ids;
}

async function obey(command: Command): Promise<unknown> {
  switch (command.what) {
    case "latency": {
      const [[own = ""], [foreign = ""]] = [await idsOf(name, 1), await idsOf(command.other, 1)];
      return await measureLatency(holdfast, connection, { ...command, own, foreign });
    }
    case "load":
      return await measureLoad(holdfast, command);
    case "fail over": {
      const ids = await idsOf(command.victim, command.objects);
      return await failOver(holdfast, { ...command, ids });
    }
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await obey(JSON.parse(line))));
}
await holdfast.close();
await connection.close();
process.exit(0);
