/** Where a command writes to, and what it knows of its surroundings. */
export interface CliOutput {
  /** Takes a line of the answer. */
  readonly out: (line: string) => void;
  /** Takes a line about what went wrong. */
  readonly error: (line: string) => void;
  /** Variables of the environment. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Folder that file names are relative to. */
  readonly cwd: string;
  /** Asks who sits at the terminal; absent where nobody does. */
  readonly ask?: (question: string) => Promise<string>;
  /** Shows how far something is, in place of what it showed before; absent without a terminal. */
  readonly progress?: (text: string) => void;
}

/** A verb of the command line; answers with the exit code. */
export type Command = (args: readonly string[], output: CliOutput) => Promise<number>;

/** The message of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
