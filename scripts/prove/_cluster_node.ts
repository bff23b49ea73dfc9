// A node under load: prints what was acknowledged, what was read, what went wrong, and how long it took;
// and what its engine tells of activations, writes and conflicts.
import process from "node:process";
import { natsCluster, natsStorage } from "../../adapters/nats/mod.ts";
import { createHoldfast } from "../../adapters/web/holdfast.ts";
import { Tally } from "./_cluster_tally.ts";

const [cluster = "", store = "", name = "", workers = "", objects = "", all = ""] = process.argv
  .slice(2);
const holdfast = createHoldfast({
  storage: natsStorage({ servers: store }),
  secrets: ["3l5ZQ0sH1vXw8yTtR6pKc2NfJb7MdGaU-secret-a"],
  objects: [Tally],
  cluster: natsCluster({ servers: cluster }),
  telemetry: (event) => {
    if (event.name === "holdfast.object.activate") console.log("told activate");
    else if (event.name === "holdfast.object.conflict") console.log("told conflict");
    else if (event.name === "holdfast.storage.put" && event.result === "ok") {
      console.log("told put");
    }
  },
});
let going = true;
process.on("SIGTERM", () => void (going = false));
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function work(worker: string): Promise<void> {
  const sent: number[] = [];
  while (going) {
    const id = Math.floor(Math.random() * Number(objects));
    const read = Math.random() < 0.2;
    const object = holdfast.object(Tally, `${id}`);
    const seq = read ? 0 : sent[id] = (sent[id] ?? 0) + 1;
    const startedAt = performance.now();
    const took = () => `${Date.now()} ${(performance.now() - startedAt).toFixed(1)}`;
    try {
      await (read ? object.count() : object.add(worker, seq));
      console.log(read ? `read ${took()}` : `done ${took()} ${id} ${worker} ${seq}`);
    } catch (error) {
      const { code = String(error), outcome = "" } = error as { code?: string; outcome?: string };
      console.log(`error ${took()} ${code} ${outcome}`);
    }
    await pause(20);
  }
}

while (going && !holdfast.nodes?.linked) await pause(20);
// At the beginning, until all are there and of one mind: what is activated then has one place.
while (going && (holdfast.nodes?.members.length ?? 0) < Number(all)) await pause(20);
if (Number(all) > 1) await pause(2500);
console.log("ready");
await Promise.all(Array.from({ length: Number(workers) }, (_, i) => work(`${name}.${i}`)));
const { complete } = await holdfast.close();
process.exit(complete ? 0 : 1);
