import { doctorCommand } from "./doctor_command.ts";
import { initCommand } from "./init_command.ts";
import { inspectCommand } from "./inspect_command.ts";
import { migrateCommand } from "./migrate_command.ts";
import type { CliOutput, Command } from "./output.ts";
import { deleteCommand, getCommand, listCommand } from "./records_command.ts";
import { nearestName, shown, wrongArgument } from "../../src/core/options.ts";
import { VERSION } from "./scaffold.ts";
import { sweepCommand } from "./sweep_command.ts";
import { syncCommand } from "./sync_command.ts";

const commands: Readonly<Record<string, { readonly about: string; readonly run: Command }>> = {
  init: { about: "begin an application: Hono, a session, a test", run: initCommand },
  doctor: { about: "check runtime, packages, secrets and a storage", run: doctorCommand },
  inspect: { about: "count what a storage holds", run: inspectCommand },
  list: { about: "list the objects of a class", run: listCommand },
  get: { about: "show what is stored of an object", run: getCommand },
  delete: { about: "delete an object for good", run: deleteCommand },
  sweep: { about: "end expired sessions", run: sweepCommand },
  "migrate-storage": { about: "move from one storage to another", run: migrateCommand },
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
  checkCall(args, output);
  const [name = "", ...rest] = args;
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command !== undefined) return await command.run(rest, output);
  if (name === "--version" || name === "-v") {
    output.out(VERSION.slice(1));
    return 0;
  }
  const [topic = ""] = name === "help" ? rest : [];
  const about = Object.hasOwn(commands, topic) ? commands[topic] : undefined;
  if (about !== undefined) return await about.run(["--help"], output);
  const asked = name === "" || name === "help" || name === "--help" || name === "-h";
  if (!asked) {
    const nearest = nearestName(name, Object.keys(commands));
    const hint = nearest === undefined ? "" : `; the nearest is "${nearest}"`;
    const error = `There is no command ${shown(name)}${hint}`;
    if (args.includes("--json")) {
      output.out(JSON.stringify({ ok: false, error }));
      return 2;
    }
    output.error(error);
  }
  const lines = Object.entries(commands).map(([verb, { about }]) => `  ${verb.padEnd(17)}${about}`);
  const ends =
    "Each ends with 0 if all is well, 1 if something is the matter, 2 if the arguments " +
    "are wrong.";
  (asked ? output.out : output.error)(
    ["holdfast COMMAND [--help] [--json]   (or --version)", "", ...lines, "", ends].join("\n"),
  );
  return asked ? 0 : 2;
}

/** For whoever calls it from a program of their own. */
function checkCall(args: unknown, output: unknown): void {
  if (!Array.isArray(args) || args.some((arg) => typeof arg !== "string")) {
    throw wrongArgument("Cannot run: the arguments are not an array of strings");
  }
  const { out, error, env, cwd } = (output ?? {}) as Partial<CliOutput>;
  if (typeof out !== "function" || typeof error !== "function") {
    throw wrongArgument('Cannot run: the output has no functions "out" and "error"');
  }
  if (typeof env !== "object" || env === null || typeof cwd !== "string") {
    throw wrongArgument('Cannot run: the output has no "env" or no "cwd"');
  }
}
