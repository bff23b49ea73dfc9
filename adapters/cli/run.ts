import type { CliOutput, Command } from "./output.ts";
import { syncCommand } from "./sync_command.ts";

const commands: Readonly<Record<string, { readonly about: string; readonly run: Command }>> = {
  sync: { about: "set a Postgres database up for sync: up, down, check", run: syncCommand },
};

/**
 * Runs the command line.
 *
 * @param args What follows the name of the program.
 * @param output Where it writes to.
 * @returns The exit code: 0 if all is well, 1 if something is the matter, 2 if the arguments are wrong.
 */
export async function runCli(args: readonly string[], output: CliOutput): Promise<number> {
  const [name = "", ...rest] = args;
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command !== undefined) return await command.run(rest, output);
  const asked = name === "" || name === "help" || name === "--help" || name === "-h";
  if (!asked) output.error(`There is no command "${name}"`);
  const lines = Object.entries(commands).map(([verb, { about }]) => `  ${verb.padEnd(8)}${about}`);
  (asked ? output.out : output.error)(["holdfast COMMAND [--help]", "", ...lines].join("\n"));
  return asked ? 0 : 2;
}
