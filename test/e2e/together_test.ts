import { spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { assertEquals, skip, test } from "../harness/mod.ts";
import { findRuntime, runtime } from "./process.ts";

const title = "[LB31] everything together loses nothing while servers are drained and killed";

/** Ends a process and those it has started, if any are left. */
function endGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
  } catch {
    // They have ended by themselves.
  }
}

/** Why servers cannot run on all three. */
async function missing(): Promise<string | undefined> {
  try {
    for (const name of ["bun", "deno", "node"]) await findRuntime(name);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

const reason = runtime === "bun"
  ? await missing()
  : "only on bun, whose sockets send headers; servers run on all three";
if (reason !== undefined) skip(title, reason);
else {
  test(title, async (t) => {
    const root = fileURLToPath(new URL("../../", import.meta.url));
    const sizes = ["--minutes=0.25", "--every=1.5", "--pages=6", "--documents=2", "--tills=10"];
    const child = spawn(process.execPath, ["run", "scripts/prove/soak.ts", ...sizes], {
      cwd: root,
      stdio: ["ignore", "pipe", "pipe"],
      // With all it starts.
      detached: true,
    });
    t.defer(() => endGroup(child.pid));
    let said = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => said += text);
    }
    const [code] = await once(child, "exit");
    assertEquals(code, 0, said);
    // With fewer replaced, nothing would have been killed.
    const last = said.split("\n").findLast((line) => line.includes("replaced")) ?? "";
    assertEquals(/ ([1-9]\d*) of them killed/.test(last), true, said);
  }, { timeoutMs: 120_000 });
}
