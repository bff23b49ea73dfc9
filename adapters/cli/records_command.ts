import { HoldfastError } from "../../src/core/errors.ts";
import { encodeId } from "../../src/core/key.ts";
import { AlarmIndex } from "../../src/object/alarm_index.ts";
import { defineObject } from "../../src/object/definition.ts";
import { Directory } from "../../src/object/directory.ts";
import { Engine } from "../../src/object/engine.ts";
import { Inventory } from "../../src/object/inventory.ts";
import type { Storage } from "../../src/ports/storage.ts";
import { isReserved } from "../migrating/envelope.ts";
import { webClock } from "../web/clock.ts";
import { webRandom } from "../web/random.ts";
import { type CliOutput, type Command, messageOf } from "./output.ts";
import { placeOf, STORAGE_HELP, withStorage } from "./storages.ts";
import { command, confirmed, type Given, namespaceOf, type Outcome, UsageError } from "./verb.ts";

const COMMON = `  --storage URL      where; otherwise HOLDFAST_STORAGE
  --namespace NAME   that of the application ("app")`;

const ENDS = `${STORAGE_HELP}

Ends with 0, 1 if there is no such object or the storage failed, 2 if the arguments are wrong.`;

const OPTIONS = { storage: { type: "string" }, namespace: { type: "string" } } as const;

const LIST_HELP = `holdfast list CLASS [options]

  Lists the ids of the objects of a class, a page at a time, without the deleted ones.

${COMMON}
  --after ID         goes on behind this id
  --limit N          most ids, 1 to 1000 (100)
  --json             {"ok":true,"class":…,"ids":[…],"next":ID or null}

${ENDS}`;

const GET_HELP = `holdfast get CLASS ID [options]

  Shows what is stored of an object as it is, without waking it: its version, state and alarms.

${COMMON}
  --json             {"ok":true,"class":…,"id":…,"vsn":N,"state":{…},"scheduled":[…],"parked":[…]}

${ENDS}`;

const DELETE_HELP = `holdfast delete CLASS ID [options]

  Deletes an object and its alarms. A mark stays for an hour, so that no late write brings it back;
  processes that have it in memory find out with their next write. Asks first.

${COMMON}
  --yes              does not ask; needed without a terminal and with --json
  --json             {"ok":true,"class":…,"id":…,"deleted":true}

${ENDS}`;

/** `holdfast list CLASS` */
export const listCommand: Command = command({
  help: LIST_HELP,
  options: { ...OPTIONS, after: { type: "string" }, limit: { type: "string" } },
  words: [1, 1],
  run: (given, output) =>
    onObjects(given, output, false, async ({ inventory, name }) => {
      const [after, limit = 100] = [given.text("after"), given.number("limit")];
      if (limit < 1 || limit > 1000) throw new UsageError("Cannot list: --limit is not 1 to 1000");
      const page = await inventory.list(name, { limit, ...(after === undefined ? {} : { after }) });
      const { ids, next = null } = page;
      const none = ids.length === 0 && after === undefined && next === null
        ? [`(nothing is stored of a class "${name}" in namespace "${namespaceOf(given)}")`]
        : [];
      const more = next === null ? [] : [`(more behind --after ${JSON.stringify(next)})`];
      return { data: { class: name, ids, next }, lines: ids, notes: [...none, ...more] };
    }),
});

/** `holdfast get CLASS ID` */
export const getCommand: Command = command({
  help: GET_HELP,
  options: OPTIONS,
  words: [2, 2],
  run: (given, output) =>
    onObjects(given, output, false, async ({ inventory, name, id, notMoved }) => {
      await notMoved();
      const found = await inventory.peek(name, id);
      if (found === undefined) throw unknown(name, id);
      const data = { class: name, id, ...found };
      return { data, lines: [JSON.stringify(data, null, 2)] };
    }),
});

/** `holdfast delete CLASS ID` */
export const deleteCommand: Command = command({
  help: DELETE_HELP,
  options: { ...OPTIONS, yes: { type: "boolean" } },
  words: [2, 2],
  run: (given, output) =>
    onObjects(given, output, true, async ({ engine, key, name, id, notMoved }) => {
      await notMoved();
      const named = `object "${name}" ${JSON.stringify(id)}`;
      if (!await confirmed(given, output, `Delete ${named} for good?`)) {
        return { ok: false, data: { class: name, id, deleted: false }, lines: ["Nothing deleted"] };
      }
      const deleted = await engine.run(key, ({ state, ended, problem }) => {
        const there = ended === undefined && (state !== undefined || problem !== undefined);
        return there ? { kind: "end", reply: true } : { kind: "keep", reply: false };
      }, { fresh: true });
      if (!deleted) throw unknown(name, id);
      return { data: { class: name, id, deleted }, lines: [`Deleted ${named}`] };
    }),
});

interface Objects {
  readonly inventory: Inventory;
  readonly engine: Engine;
  readonly name: string;
  readonly id: string;
  readonly key: string;
  /** Refuses an object of which a migration has left a mark alone, or a copy that does not count yet. */
  readonly notMoved: () => Promise<void>;
}

/** Reaches the objects of a class without the definition that only the application has. */
async function onObjects(
  given: Given,
  { env, cwd }: CliOutput,
  write: boolean,
  use: (objects: Objects) => Promise<Outcome>,
): Promise<Outcome> {
  const [name = "", id = ""] = given.positionals;
  const url = given.text("storage") ?? (env["HOLDFAST_STORAGE"] || undefined);
  if (url === undefined) {
    throw new UsageError("Cannot open a storage: there is neither --storage nor HOLDFAST_STORAGE");
  }
  const place = placeOf(url, cwd);
  const namespace = namespaceOf(given);
  const directory = new Directory(namespace, webClock(), 30_000);
  let key: string;
  try {
    const state = () => ({});
    const cls = directory.register(defineObject({ name, vsn: 1, state, handlers: {} }));
    key = given.positionals.length < 2 ? "" : `${cls.prefix}${encodeId(id)}`;
  } catch (error) {
    throw new UsageError(messageOf(error));
  }
  return await withStorage(place, write, async (storage) => {
    const engine = engineOn(storage, namespace);
    const outcome = await use({
      inventory: new Inventory(directory, engine),
      engine,
      name,
      id,
      key,
      notMoved: async () => {
        if (isReserved((await storage.get(key))?.value)) throw moved(name, id);
      },
    });
    await engine.drain(10_000);
    return outcome;
  });
}

/** An engine that keeps the index of alarms in step, and fires none. */
function engineOn(storage: Storage, namespace: string): Engine {
  const [clock, random] = [webClock(), webRandom()];
  const index: AlarmIndex = new AlarmIndex({
    namespace,
    clock,
    random,
    note: (key) => engine.note(key),
    erase: (key) => engine.erase(key),
    expect: () => {},
  });
  const limits = { maxStateBytes: 2 ** 30, storageTimeoutMs: 30_000 };
  const engine: Engine = new Engine(
    { storage, clock, random, emit: undefined, hooks: index },
    limits,
  );
  return engine;
}

function unknown(name: string, id: string): HoldfastError {
  return new HoldfastError(
    "ERR_UNKNOWN_OBJECT",
    `Cannot find object "${name}" ${JSON.stringify(id)}: nothing is stored`,
  );
}

function moved(name: string, id: string): HoldfastError {
  return new HoldfastError(
    "ERR_CORRUPT_RECORD",
    `Cannot use object "${name}" ${
      JSON.stringify(id)
    }: a migration has it; where it has moved to, ` +
      "or when migrate-storage is through, it can be used",
  );
}
