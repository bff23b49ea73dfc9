import type { CliOutput, Command } from "./output.ts";
import { checkClock, checkPeers, checkRuntime, checkSecretsIn, type Finding } from "./checks.ts";
import { probeStorage } from "./probe.ts";
import { placeOf, STORAGE_HELP, withStorage } from "./storages.ts";
import { command, type Given, type Outcome, UsageError } from "./verb.ts";

const HELP = `holdfast doctor [STORAGE] [options]

  Checks what an application stands on: the runtime, the packages beside it, its secrets, and with
  STORAGE whether conditional writes are honoured, how long a write takes, and how far the clocks are
  apart. To find that out it writes a few records under keys that begin with "holdfast-doctor/" and
  deletes them again; it creates no storage that is not there.

  --read-only        writes nothing: asks the storage for a key that is not there
  --secrets NAMES    variables that hold the secrets, the first signs (SECRET), with commas
  --json             {"ok":true,"checks":[{"name","level":"ok"|"warning"|"problem","message"}]}

${STORAGE_HELP}

Ends with 0, also with warnings, 1 if there is a problem, 2 if the arguments are wrong.`;

/** `holdfast doctor` */
export const doctorCommand: Command = command({
  help: HELP,
  options: { "read-only": { type: "boolean" }, secrets: { type: "string" } },
  words: [0, 1],
  run: async (given, output) => outcomeOf(await checkAll(given, output)),
});

async function checkAll(given: Given, { env, cwd }: CliOutput): Promise<readonly Finding[]> {
  const [url] = given.positionals;
  const place = url === undefined ? undefined : placeOf(url, cwd);
  const names = namesIn(given.text("secrets") ?? "SECRET");
  const checks = [checkRuntime(), ...checkPeers(cwd), ...checkSecretsIn(env, names)];
  if (place === undefined) return checks;
  try {
    checks.push(
      ...await withStorage(
        place,
        false,
        (storage) => probeStorage(storage, given.flag("read-only"), place.kind === "sqlite"),
      ),
    );
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    checks.push({ name: "storage", level: "problem", message });
    return checks;
  }
  return [...checks, await checkClock(place)];
}

function namesIn(text: string): readonly string[] {
  const names = text.split(",").map((name) => name.trim());
  if (!names.includes("")) return names;
  throw new UsageError("Cannot check secrets: --secrets has a name that is empty");
}

const SIGNS = { ok: "ok      ", warning: "warning ", problem: "PROBLEM " } as const;

function outcomeOf(checks: readonly Finding[]): Outcome {
  const problems = checks.filter(({ level }) => level === "problem").length;
  const warnings = checks.filter(({ level }) => level === "warning").length;
  return {
    ok: problems === 0,
    data: { checks },
    lines: [
      ...checks.map(({ name, level, message }) => `${SIGNS[level]} ${name}: ${message}`),
      "",
      `${problems} problems, ${warnings} warnings`,
    ],
  };
}
