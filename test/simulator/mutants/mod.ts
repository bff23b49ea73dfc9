import { spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { runtime } from "../../e2e/process.ts";
import { clusterMutants } from "./cluster.ts";
import { type Mutant, mutate } from "./mutant.ts";
import { objectMutants } from "./objects.ts";
import { writeMutants } from "./writes.ts";

/** Every way of breaking a decision that the simulator must notice. */
export const mutants: readonly Mutant[] = [...writeMutants, ...objectMutants, ...clusterMutants];

/** What the simulator made of a mutant, or of the code as it is. */
export type Found =
  /** The seed it fails with, and how. */
  | { readonly kind: "found"; readonly seed: number; readonly problem: string }
  /** It does not come to an end, or ends in an error of its own. */
  | { readonly kind: "broken"; readonly problem: string }
  | { readonly kind: "survived" };

const root = fileURLToPath(new URL("../../../", import.meta.url));

/** What a simulation is made of. */
const parts: readonly string[] = [
  "mod.ts",
  "package.json",
  "tsconfig.json",
  "src",
  "adapters",
  "test/simulator",
  "scripts/prove/simulate.ts",
];

/** A copy of the sources, to be broken and put right again. */
export class Laboratory {
  readonly #folder: string = mkdtempSync(join(tmpdir(), "holdfast-mutants-"));

  constructor() {
    for (const part of parts) {
      mkdirSync(dirname(join(this.#folder, part)), { recursive: true });
      cpSync(join(root, part), join(this.#folder, part), { recursive: true });
    }
  }

  /** Runs simulations of the code with a mutant in it, to the first that fails. */
  async try(
    { edits, scenario }: Pick<Mutant, "edits" | "scenario">,
    seeds: number,
  ): Promise<Found> {
    const before = new Map<string, string>();
    try {
      for (const edit of edits) {
        const path = join(this.#folder, edit.file);
        const source = readFileSync(path, "utf8");
        if (!before.has(path)) before.set(path, source);
        writeFileSync(path, mutate(source, edit));
      }
      return await this.#simulate(scenario, seeds);
    } finally {
      for (const [path, source] of before) writeFileSync(path, source);
    }
  }

  close(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #simulate(scenario: string, seeds: number): Promise<Found> {
    const script = join(this.#folder, "scripts/prove/simulate.ts");
    const options = ["--json", "--until-failure", `--only=${scenario}`, `--seeds=${seeds}`];
    const runArgs = { bun: ["run"], deno: ["run", "-A", "--no-check"], node: ["--no-warnings"] };
    const args = [...runArgs[runtime], script, ...options];
    const { code, output } = await run(process.execPath, args, this.#folder);
    if (code === 0) return { kind: "survived" };
    const line = /^\{"seed":.*$/m.exec(output)?.[0];
    if (line === undefined) return { kind: "broken", problem: output.trim().slice(0, 300) };
    const { seed, problem } = JSON.parse(line) as { seed: number; problem: string };
    return { kind: "found", seed, problem };
  }
}

/** A mutant that never lets go of the processor is stopped. */
const longestMs = 240_000;

function run(
  command: string,
  args: readonly string[],
  cwd: string,
): Promise<{ readonly code: number | null; readonly output: string }> {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd,
      stdio: ["ignore", "pipe", "pipe"],
      timeout: longestMs,
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => output += text);
    }
    child.on("error", (error) => resolve({ code: 1, output: String(error) }));
    child.on("close", (code) => resolve({ code, output }));
  });
}
