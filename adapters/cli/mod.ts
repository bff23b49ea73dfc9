#!/usr/bin/env node
/**
 * The command line: `npx holdfast sync up|down|check`, or without npm
 * `deno run -A jsr:@holdfast/holdfast/cli sync check`. Imported, it does nothing but offer `runCli()`.
 *
 * @module
 */
import { isMain } from "./main.ts";
import { runCli } from "./run.ts";

export { runCli } from "./run.ts";
export type { CliOutput } from "./output.ts";

await isMain(import.meta, runCli);
