import process from "node:process";

/** Reads `--name=value` from the command line; the last one counts. */
export function option(name: string): string | undefined {
  const prefix = `--${name}=`;
  return process.argv.findLast((argument) => argument.startsWith(prefix))
    ?.slice(prefix.length);
}

/**
 * Reads `--name=number` from the command line.
 *
 * @throws {RangeError} If it is not a number of 0 or more.
 */
export function numberOption(name: string, fallback: number): number {
  const value = Number(option(name) ?? fallback);
  if (!(value >= 0)) {
    throw new RangeError(`Cannot use --${name}: it is not 0 or more`);
  }
  return value;
}

/** Tells whether `--name` is on the command line. */
export function flag(name: string): boolean {
  return process.argv.includes(`--${name}`);
}
