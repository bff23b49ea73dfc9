import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { bun, type Runtime } from "../_lib/runtimes.ts";
import type { Found, Job, Measured, Target } from "./client.ts";
import { runClient, type ServerOptions, type ServerProcess, startServer } from "./processes.ts";
import { variants } from "./variants.ts";

/** How to measure. */
export interface Plan extends Omit<Job, "targets"> {
  readonly variants: readonly string[];
  readonly stateBytes: number;
  /** A folder on the disk that durable variants write to. */
  readonly folder: string;
}

/** What was measured of each variant on one runtime, in order of the rounds. */
export type Results = ReadonlyMap<string, readonly Measured[]>;

/** A variant being served. */
interface Served {
  readonly name: string;
  readonly options: ServerOptions;
  readonly server: ServerProcess;
}

/**
 * Measures the variants on one runtime. All servers stay alive from the first warm-up to the last
 * phase, and take turns that are shorter than a whim of the machine: so what is measured is neither
 * a compiler nor a neighbour, and a phase can be compared with the floor's of the same round.
 *
 * @throws {Error} If a server gave a wrong answer or lost something.
 */
export async function measureAll(runtime: Runtime, plan: Plan): Promise<Results> {
  const own = mkdtempSync(join(plan.folder, "run-"));
  const served: Served[] = [];
  try {
    for (const name of plan.variants) {
      const options = {
        secret: randomBytes(32).toString("hex"),
        file: join(own, `${name}.db`),
        stateBytes: plan.stateBytes,
      };
      served.push({ name, options, server: await startServer(runtime, name, options) });
    }
    const found = await runClient(bun, { ...plan, targets: served.map((one) => target(one)) });
    const results = new Map<string, readonly Measured[]>();
    for (const [at, one] of served.entries()) {
      results.set(one.name, found[at]?.measured ?? []);
      if (variants[one.name]?.durable === true) await verify(runtime, one, plan, found[at]);
    }
    return results;
  } catch (error) {
    for (const { name, server } of served) console.error(name, server.complaints());
    throw error;
  } finally {
    await Promise.all(served.map(({ server }) => server.kill()));
    rmSync(own, { recursive: true });
  }
}

function target({ name, server }: Pick<Served, "name" | "server">): Target {
  const { port, controlPort } = server;
  return { port, controlPort, checked: variants[name]?.floor !== true };
}

/** Opens the file in another process: every count that was acknowledged must be there. */
async function verify(
  runtime: Runtime,
  { name, options, server: before }: Served,
  { connections }: Plan,
  found: Found | undefined,
): Promise<void> {
  await before.kill();
  const server = await startServer(runtime, name, options);
  try {
    const targets = [{ ...target({ name, server }), kept: found?.kept ?? [] }];
    await runClient(bun, { connections, warmUpRequests: 0, rounds: 0, phaseMs: 0, targets });
  } finally {
    await server.kill();
  }
}
