import { Hono } from "hono";
import { session, type SessionEnv } from "../../adapters/hono/mod.ts";
import { memoryStorage } from "../../adapters/memory/mod.ts";
import { sqliteStorage } from "../../adapters/sqlite/mod.ts";
import { createHoldfast, defineStash, type Storage } from "../../mod.ts";
import type { App, AppOptions, Variant } from "./apps.ts";

const Visits = defineStash({
  name: "visits",
  vsn: 1,
  stored: ["count", "note"],
  state: () => ({ count: 0, note: "" }),
});

/** The same handlers as for the others; `"update"` reads the store again before it writes. */
function app(storage: Storage, { secret, note }: AppOptions, how: "stash" | "update"): App {
  const hono = new Hono<SessionEnv>();
  hono.use(session(createHoldfast({ storage, secrets: [secret] })));
  hono.get(
    "/read",
    async (c) => c.text(String((await c.get("session").stash(Visits)).state.count)),
  );
  hono.post("/write", async (c) => {
    const visits = await c.get("session").stash(Visits);
    if (how === "update") {
      const { count } = await visits.update((state) => {
        state.count++;
        state.note = note;
      });
      return c.text(String(count));
    }
    visits.state.count++;
    visits.state.note = note;
    await visits.stash();
    return c.text(String(visits.state.count));
  });
  return hono;
}

/** This library, by name. */
export const ours: Readonly<Record<string, Variant>> = {
  holdfast_memory: {
    label: "holdfast, memory",
    make: (options) => app(memoryStorage(), options, "stash"),
  },
  holdfast_memory_update: {
    label: "holdfast, memory, `update()`",
    make: (options) => app(memoryStorage(), options, "update"),
  },
  holdfast_sqlite: {
    label: "holdfast, SQLite",
    durable: true,
    make: (options) => app(sqliteStorage(options.file), options, "stash"),
  },
  holdfast_sqlite_update: {
    label: "holdfast, SQLite, `update()`",
    durable: true,
    make: (options) => app(sqliteStorage(options.file), options, "update"),
  },
};
