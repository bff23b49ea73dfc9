import process from "node:process";
import { natsStorage } from "../../adapters/nats/mod.ts";
import { type Child, startChild } from "../adapters/fixtures/child.ts";
import * as t from "../harness/mod.ts";
import { ringThrough } from "./alarms.ts";
import { noNats, startNats } from "./fixtures/server.ts";

const { assertEquals } = t;

/** Registers a test that needs the server. */
const test: typeof t.test = noNats === undefined ? t.test : (name) => t.skip(name, noNats ?? "");

/** By its id: on Deno a child that was sent one signal gets no other. */
function signal({ process: { pid } }: Child, name: "SIGKILL" | "SIGSTOP" | "SIGCONT" | "SIGTERM") {
  try {
    if (pid !== undefined) process.kill(pid, name);
  } catch {
    // It has ended.
  }
}

test(
  "[NT4] one of three processes is killed and one stopped for a while, under load",
  async (c) => {
    const server = await startNats();
    c.defer(() => server.dispose());
    const [a, b, d] = ["a", "b", "d"].map((name) => startChild("cluster_node", [server.url, name]));
    if (a === undefined || b === undefined || d === undefined) throw new Error("No processes");
    const all = [a, b, d];
    c.defer(() => all.forEach((child) => signal(child, "SIGKILL")));
    const more = (of: typeof a): Promise<void> => of.printed(of.lines.length + 100);
    await Promise.all(all.map(more));
    signal(a, "SIGKILL");
    await a.ended;
    await Promise.all([more(b), more(d)]);
    signal(b, "SIGSTOP");
    await more(d);
    await new Promise((resolve) => setTimeout(resolve, 2000));
    await more(d);
    signal(b, "SIGCONT");
    await Promise.all([more(b), more(d)]);
    signal(b, "SIGTERM");
    signal(d, "SIGTERM");
    const ends = await Promise.all([b.ended, d.ended]);
    assertEquals(ends, [{ code: 0, stderr: "" }, { code: 0, stderr: "" }]);
    const lines = all.flatMap((child) => child.lines);
    const codes = new Set(lines.filter((line) => line.startsWith("- ")));
    codes.delete("- ERR_STORAGE_UNAVAILABLE");
    assertEquals([...codes], []);

    const storage = natsStorage({ servers: server.url });
    c.defer(() => storage.close());
    const stored: string[] = [];
    for (let i = 0; i < 6; i++) {
      const record = JSON.parse((await storage.get(`app/object/list/${i}`))?.value ?? "{}");
      stored.push(...record.state.state.by);
    }
    const found = new Set(stored);
    assertEquals(found.size, stored.length, "something was done twice");
    const lost = lines.filter((line) => !line.startsWith("- ") && !found.has(line));
    assertEquals(lost, [], "something that was acknowledged is lost");
  },
  { timeoutMs: 60_000 },
);

test(
  "[CU8] alarms of many objects have their effect once each when their owner is killed amid them",
  async () => {
    const { once, never, more, before } = await ringThrough(200, 1500, 40_000);
    assertEquals({ once, never, more }, { once: 200, never: 0, more: 0 });
    t.assert(before < 200, "all had rung before the owner was killed");
  },
  { timeoutMs: 60_000 },
);
