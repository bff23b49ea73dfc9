import { parseArgs, type ParseArgsConfig } from "node:util";
import { HoldfastError } from "../../src/core/errors.ts";
import { checkNamespace } from "../../src/core/key.ts";
import { nearestName } from "../../src/core/options.ts";
import { type CliOutput, type Command, messageOf } from "./output.ts";

type Options = NonNullable<ParseArgsConfig["options"]>;

/** What a verb was given. */
export interface Given {
  readonly positionals: readonly string[];
  /** The text of an option; `undefined` if it was not given. */
  text(name: string): string | undefined;
  /** Whether a flag was given. */
  flag(name: string): boolean;
  /** A whole number of 0 or more; `undefined` if it was not given. */
  number(name: string): number | undefined;
}

/** What a verb has done. */
export interface Outcome {
  /** Whether all is well: the exit code is 0, else 1. @default {true} */
  readonly ok?: boolean;
  /** Goes into the answer in JSON, beside `ok`. */
  readonly data: Readonly<Record<string, unknown>>;
  /** The same for a reader, one entry a line. */
  readonly lines: readonly string[];
  /** What a reader is told beside the answer, which may be piped on. */
  readonly notes?: readonly string[];
}

/** A verb. */
export interface Verb {
  /** How it is called and what its options are. */
  readonly help: string;
  readonly options?: Options;
  /** Fewest and most words that follow it. */
  readonly words: readonly [number, number];
  readonly run: (given: Given, output: CliOutput) => Promise<Outcome>;
}

/** Arguments that make no sense: the exit code is 2. */
export class UsageError extends TypeError {}

/**
 * Makes a command of a verb: reads its arguments with `parseArgs` of `node:util`, which all three
 * runtimes have, and answers as text or, with `--json`, as one line of JSON with `ok`.
 */
export function command({ help, options, words, run }: Verb): Command {
  const all: Options = {
    ...options,
    json: { type: "boolean" },
    help: { type: "boolean", short: "h" },
  };
  return async (args, output) => {
    let json = args.includes("--json");
    try {
      const given = read(args, all);
      if (given.flag("help")) {
        output.out(help);
        return 0;
      }
      json = given.flag("json");
      const count = given.positionals.length;
      if (count < words[0]) throw new UsageError("Cannot run: too few arguments");
      if (count > words[1]) throw new UsageError("Cannot run: too many arguments");
      const { ok = true, data, lines, notes = [] } = await run(given, output);
      if (json) output.out(JSON.stringify({ ok, ...data }));
      else {
        for (const line of lines) output.out(line);
        for (const note of notes) output.error(note);
      }
      return ok ? 0 : 1;
    } catch (error) {
      const usage = error instanceof UsageError;
      if (json) output.out(JSON.stringify({ ok: false, ...described(error) }));
      else output.error(usage ? `${error.message}\n\n${help}` : messageOf(error));
      return usage ? 2 : 1;
    }
  };
}

function described(error: unknown): { readonly error: string; readonly code?: string } {
  const message = messageOf(error);
  return error instanceof HoldfastError ? { error: message, code: error.code } : { error: message };
}

function read(args: readonly string[], options: Options): Given {
  checkNames(args, options);
  let parsed: ReturnType<typeof parseArgs>;
  try {
    parsed = parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    throw new UsageError(`Cannot run: ${messageOf(error)}`);
  }
  const { values, positionals } = parsed;
  const text = (name: string): string | undefined => {
    const value = values[name];
    return typeof value === "string" ? value : undefined;
  };
  return {
    positionals,
    text,
    flag: (name) => values[name] === true,
    number: (name) => {
      const value = text(name);
      if (value === undefined) return undefined;
      if (!/^\d{1,15}$/.test(value)) {
        throw new UsageError(`Cannot run: --${name} is not a whole number of 0 or more`);
      }
      return Number(value);
    },
  };
}

/**
 * Refuses an option that does not exist, with the nearest there is: what the runtimes say of one is
 * long, differs, and names none.
 *
 * Refuses one with a value that is there twice, too: of two storages one would be passed over in silence.
 *
 * @throws {UsageError} If there is one.
 */
export function checkNames(args: readonly string[], options: Options): void {
  const { tokens = [] } = parseArgs({
    args: [...args],
    options,
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  const seen = new Set<string>();
  for (const token of tokens) {
    if (token.kind !== "option") continue;
    const option = Object.hasOwn(options, token.name) ? options[token.name] : undefined;
    if (option?.type === "string" && option.multiple !== true && seen.has(token.name)) {
      throw new UsageError(`Cannot run: ${token.rawName} is there twice`);
    }
    seen.add(token.name);
    if (option !== undefined) continue;
    if (token.rawName === "-h") continue;
    const nearest = nearestName(token.name, Object.keys(options));
    const hint = nearest === undefined ? "" : `; the nearest is --${nearest}`;
    throw new UsageError(`Cannot run: there is no option ${token.rawName}${hint}`);
  }
}

/** The namespace that was given, else the one an application has that gives none. */
export function namespaceOf(given: Given): string {
  try {
    return checkNamespace(given.text("namespace") ?? "app");
  } catch (error) {
    throw new UsageError(messageOf(error));
  }
}

/**
 * Goes on only if `--yes` was given or who sits at the terminal says so.
 *
 * @throws {UsageError} If there is neither.
 */
export async function confirmed(
  given: Given,
  { ask }: CliOutput,
  question: string,
): Promise<boolean> {
  if (given.flag("yes")) return true;
  if (ask === undefined || given.flag("json")) {
    throw new UsageError("Cannot change anything: nobody can be asked, and there is no --yes");
  }
  return /^y(es)?$/i.test(await ask(`${question} [y/N] `));
}
