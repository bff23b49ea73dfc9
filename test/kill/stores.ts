import { setTimeout as pause } from "node:timers/promises";
import { fileStorage } from "../../adapters/file/mod.ts";
import { postgresStorage } from "../../adapters/postgres/mod.ts";
import { s3Storage } from "../../adapters/s3/mod.ts";
import { sqliteStorage } from "../../adapters/sqlite/mod.ts";
import { createHoldfast, type Holdfast } from "../../adapters/web/holdfast.ts";
import type { Storage } from "../../src/ports/storage.ts";
import type { Place } from "../s3/fixtures/servers.ts";
import { type Flaw, journal } from "./journal.ts";

/** Where the processes store; travels to them as JSON. */
export type Where =
  | { readonly store: "file" | "sqlite"; readonly path: string }
  | { readonly store: "postgres"; readonly url: string }
  | { readonly store: "s3"; readonly place: Place };

function open(where: Where): Storage {
  switch (where.store) {
    case "file":
      // One process at a time has the directory: the other one waits until it is killed.
      return fileStorage(where.path, { lockTimeoutMs: 60_000 });
    case "sqlite":
      return sqliteStorage(where.path, { busyTimeoutMs: 25_000 });
    case "postgres":
      return postgresStorage({ url: where.url });
    case "s3":
      return s3Storage(where.place);
  }
}

/** Takes its time, so that what was answered before is not there yet. */
function late(storage: Storage): Storage {
  return {
    get: (key, options) => storage.get(key, options),
    put: async (key, value, options) => {
      await pause(30);
      return await storage.put(key, value, options);
    },
    delete: (key, options) => storage.delete(key, options),
    list: (prefix, options) => storage.list(prefix, options),
  };
}

/** Opens the root of one process. */
export function openRoot(where: Where, flaw: Flaw): Holdfast {
  return createHoldfast({
    storage: flaw === "early" ? late(open(where)) : open(where),
    secrets: ["3l5ZQ0sH1vXw8yTtR6pKc2NfJb7MdGaU-secret-a"],
    objects: [journal(flaw)],
    alarms: { pollEveryMs: 200 },
    // A file storage that waits for its directory answers nothing.
    limits: { storageTimeoutMs: 60_000, callTimeoutMs: 60_000 },
    sweepEveryMs: Infinity,
  });
}
