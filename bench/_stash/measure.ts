import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { bun, type Runtime } from "../_lib/runtimes.ts";
import type { Job, Measured, Phase } from "./client.ts";
import { runClient, type ServerOptions, startServer } from "./processes.ts";
import { variants } from "./variants.ts";

/** How to measure. */
export interface Plan {
  readonly variants: readonly string[];
  readonly rounds: number;
  readonly connections: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
  readonly stateBytes: number;
  /** A folder on the disk that durable variants write to. */
  readonly folder: string;
}

/** What was measured of one variant on one runtime, over all rounds. */
export type Results = ReadonlyMap<string, readonly Measured[]>;

/**
 * Measures the variants on one runtime in rounds, A B C A B C, so that a noisy minute of the machine
 * does not meet one of them alone; each time in a fresh process.
 *
 * @param tell Told of each measurement.
 * @throws {Error} If a server gave a wrong answer or lost something.
 */
export async function measureAll(
  runtime: Runtime,
  plan: Plan,
  tell: (variant: string, measured: readonly Measured[]) => void,
): Promise<Results> {
  const results = new Map<string, Measured[]>(plan.variants.map((name) => [name, []]));
  for (let round = 0; round < plan.rounds; round++) {
    for (const name of plan.variants) {
      const measured = await measureOne(runtime, name, plan);
      results.get(name)?.push(...measured);
      tell(name, measured);
    }
  }
  return results;
}

async function measureOne(
  runtime: Runtime,
  name: string,
  { folder, connections, warmUpMs, measureMs, stateBytes }: Plan,
): Promise<readonly Measured[]> {
  const { floor, durable } = variants[name] ?? {};
  const phases: Phase[] = (["read", "write"] as const).map((ask) => ({
    ask,
    warmUpMs,
    measureMs,
  }));
  const own = mkdtempSync(join(folder, "run-"));
  const options = {
    secret: randomBytes(32).toString("hex"),
    file: join(own, "bench.db"),
    stateBytes,
  };
  const job = { connections, checked: floor !== true };
  try {
    const server = await startServer(runtime, name, options);
    const { port, controlPort } = server;
    try {
      const { measured, kept } = await runClient(bun, {
        ...job,
        port,
        controlPort,
        phases,
      });
      if (durable !== true) return measured;
      await server.kill();
      await verify(runtime, name, options, { ...job, kept, phases: [] });
      return measured;
    } catch (error) {
      console.error(server.complaints());
      throw error;
    } finally {
      await server.kill();
    }
  } finally {
    rmSync(own, { recursive: true });
  }
}

/** Opens the file in another process: every count that was acknowledged must be there. */
async function verify(
  runtime: Runtime,
  name: string,
  options: ServerOptions,
  job: Omit<Job, "port" | "controlPort">,
): Promise<void> {
  const server = await startServer(runtime, name, options);
  try {
    await runClient(bun, {
      ...job,
      port: server.port,
      controlPort: server.controlPort,
    });
  } finally {
    await server.kill();
  }
}
