/** A runtime of this checkout. */
export interface Runtime {
  readonly name: "bun" | "deno" | "node";
  readonly path: string;
  readonly version: string;
}

/** What is used of the checkout's own scripts, which are plain JavaScript. */
interface Scripts {
  findRuntime(name: Runtime["name"]): Runtime | { readonly missing: string };
  needRuntime(name: Runtime["name"]): Runtime;
}

const scripts: string = new URL("../../scripts/lib/runtimes.mjs", import.meta.url).href;
const { findRuntime, needRuntime }: Scripts = await import(scripts);

/** Every runtime, in the order of the tables. */
export const runtimeNames: readonly Runtime["name"][] = ["bun", "node", "deno"];

/**
 * Finds the runtimes to measure, and says which are missing.
 *
 * @param wanted Names separated by commas; `undefined` for all that are installed.
 */
export function chooseRuntimes(wanted: string | undefined): readonly Runtime[] {
  if (wanted !== undefined) {
    return wanted.split(",").map((name) => needRuntime(name as Runtime["name"]));
  }
  return runtimeNames.flatMap((name) => {
    const found = findRuntime(name);
    if ("path" in found) return [found];
    console.log(`skipped ${name}: ${found.missing}`);
    return [];
  });
}

/** The runtime of the load generator: one for all servers, and npm has installed it. */
export const bun: Runtime = needRuntime("bun");
