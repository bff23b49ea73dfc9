import type { Storage } from "../../src/ports/storage.ts";
import { addReason, type SweepReason } from "../../src/stash/sweep.ts";
import { createHoldfast } from "../web/holdfast.ts";
import { webRandom } from "../web/random.ts";
import { type Command, messageOf } from "./output.ts";
import { placeOf, STORAGE_HELP, withStorage } from "./storages.ts";
import { command, confirmed, type Given, namespaceOf, UsageError } from "./verb.ts";

const HELP = `holdfast sweep STORAGE [options]

  Ends the sessions that have expired and removes the records of those ended an hour ago, as every
  process of the application does by itself. A lifetime longer than the default has to be told here
  too, or sessions end before their time; so it asks first.

  --namespace NAME       that of the application ("app")
  --idle-ms MS           lifetime.idleMs of the application (86400000, a day)
  --absolute-ms MS       lifetime.absoluteMs (2592000000, 30 days)
  --unconfirmed-ms MS    lifetime.unconfirmedMs (600000, 10 minutes)
  --yes                  does not ask; needed without a terminal and with --json
  --json                 {"ok":true,"examined":N,"ended":N,"removed":N,"failed":N,
                         "reasons":[{"code":"ERR_…","message":"…","records":N}]}

${STORAGE_HELP}

Ends with 0, 1 if a record could not be used or the storage failed, 2 if the arguments are wrong.`;

/** `holdfast sweep STORAGE` */
export const sweepCommand: Command = command({
  help: HELP,
  options: {
    namespace: { type: "string" },
    "idle-ms": { type: "string" },
    "absolute-ms": { type: "string" },
    "unconfirmed-ms": { type: "string" },
    yes: { type: "boolean" },
  },
  words: [1, 1],
  run: async (given, output) => {
    const place = placeOf(given.positionals[0] ?? "", output.cwd);
    const namespace = namespaceOf(given);
    const zero = { examined: 0, ended: 0, removed: 0, failed: 0, reasons: [] };
    if (!await confirmed(given, output, `End the expired sessions in ${place.shown}?`)) {
      return { ok: false, data: zero, lines: ["Nothing swept"] };
    }
    const data = await withStorage(place, false, (storage) => sweepAll(storage, namespace, given));
    const { examined, ended, removed, failed, reasons } = data;
    return {
      ok: failed === 0,
      data: { ...data },
      lines: [
        `${examined} examined, ${ended} ended, ${removed} removed, ${failed} failed`,
        ...reasons.map(({ code, message, records }) =>
          `- ${records} of them: ${message}${code === undefined ? "" : ` (${code})`}`
        ),
      ],
    };
  },
});

interface Counts {
  readonly examined: number;
  readonly ended: number;
  readonly removed: number;
  readonly failed: number;
  readonly reasons: readonly SweepReason[];
}

async function sweepAll(storage: Storage, namespace: string, given: Given): Promise<Counts> {
  const holdfast = open(storage, namespace, given);
  const counts = { examined: 0, ended: 0, removed: 0, failed: 0 };
  const reasons = new Map<string, SweepReason>();
  try {
    let after: string | undefined;
    do {
      const part = await holdfast.sweep(after === undefined ? {} : { after });
      for (const what of ["examined", "ended", "removed", "failed"] as const) {
        counts[what] += part[what];
      }
      for (const reason of part.reasons) addReason(reasons, reason);
      after = part.next;
    } while (after !== undefined);
    return { ...counts, reasons: [...reasons.values()] };
  } finally {
    await holdfast.close();
  }
}

function open(
  storage: Storage,
  namespace: string,
  given: Given,
): ReturnType<typeof createHoldfast> {
  const [idleMs, absoluteMs] = [given.number("idle-ms"), given.number("absolute-ms")];
  const unconfirmedMs = given.number("unconfirmed-ms");
  try {
    return createHoldfast({
      storage,
      // No cookie is read or written: any will do.
      secrets: [webRandom().bytes(32)],
      namespace,
      sweepEveryMs: Infinity,
      lifetime: {
        ...(idleMs === undefined ? {} : { idleMs }),
        ...(absoluteMs === undefined ? {} : { absoluteMs }),
        ...(unconfirmedMs === undefined ? {} : { unconfirmedMs }),
      },
    });
  } catch (error) {
    throw new UsageError(messageOf(error));
  }
}
