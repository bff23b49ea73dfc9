import type {
  SimulatedClient,
  SimulationEnd,
  SimulationOptions,
} from "../../../adapters/testing/mod.ts";
import { defineObject } from "../../../mod.ts";

/** What has happened outside of the objects. */
interface Notes {
  /** How often the effect of an entry has run. */
  readonly effects: Map<string, number>;
  /** The entries whose call was answered. */
  readonly acknowledged: Set<string>;
}

type Write = (entry: string, afterCommit: (effect: () => void) => void) => void;

interface JournalState {
  entries: string[];
  /** As many as there are entries: two fields that one call changes. */
  count: number;
  /** How often an alarm is to fail, by its name. */
  fails: Record<string, number>;
}

/** An object that remembers each call by a name of its own, so that whatever is lost or doubled shows. */
function defineJournal(write: Write) {
  const put = (state: JournalState, entry: string) => {
    state.entries.push(entry);
    state.count++;
  };
  return defineObject({
    name: "journal",
    vsn: 1,
    state: (): JournalState => ({ entries: [], count: 0, fails: {} }),
    handlers: {
      append({ state, afterCommit }, entry: string) {
        put(state, entry);
        write(entry, afterCommit);
        return state.count;
      },
      async appendSlowly({ state, afterCommit }, entry: string) {
        state.entries.push(entry);
        await Promise.resolve();
        state.count++;
        write(entry, afterCommit);
        return state.entries.at(-2) ?? null;
      },
      /** Half of it is done when it throws. */
      refuse({ state }, entry: string) {
        state.entries.push(entry);
        throw new RangeError(`refused after ${state.count}`);
      },
      /** A turn that may change something and does not. */
      look: ({ state }) => state.entries.at(-1) ?? null,
      read: { readOnly: true, run: ({ state }) => [state.count, state.entries.length] },
      set({ state, schedule }, alarm: string, delayMs: number, fails: number) {
        put(state, `set ${alarm}`);
        state.fails[alarm] = fails;
        schedule(alarm, delayMs);
      },
      cancel({ state, cancel }, alarm: string) {
        const found = cancel(alarm);
        if (found) put(state, `cancel ${alarm}`);
        return found;
      },
    },
    alarms: Object.fromEntries(alarms.map((name) => [name, ring(name)])),
    hibernateAfterMs: 700,
    shutdownAfterMs: 1500,
  });

  function ring(name: string) {
    return ({ state, schedule }: RingContext, { attempt }: { readonly attempt: number }): void => {
      put(state, `rang ${name}`);
      if (attempt <= (state.fails[name] ?? 0)) throw new Error("the line is dead");
      // One that rings twice: it sets itself anew.
      if (
        name === "again" && state.entries.filter((entry) => entry === "rang again").length === 1
      ) {
        schedule(name, 500);
      }
    };
  }
}

interface RingContext {
  readonly state: JournalState;
  readonly schedule: (name: string, delayMs: number) => void;
}

const alarms: readonly string[] = ["soon", "later", "again"];

/** Objects that live, and one that may be deleted. */
const ids = ["a", "b/ü", "mortal"] as const;

/** Calls, effects, alarms, deletions: everything an object with gated replies can do. */
export function journal(): Omit<SimulationOptions<Notes>, "seed"> {
  let notes: Notes = { effects: new Map(), acknowledged: new Set() };
  const Journal = defineJournal((entry, afterCommit) => {
    const { effects } = notes;
    afterCommit(() => void effects.set(entry, (effects.get(entry) ?? 0) + 1));
  });
  return {
    objects: [Journal],
    clients: 4,
    steps: 9,
    holdfast: { alarms: { tries: 4 } },
    notes: () => notes = { effects: new Map(), acknowledged: new Set() },
    workload: (client) => act(client, Journal, notes),
    check: (end) => check(end, Journal, notes),
  };
}

type Journal = ReturnType<typeof defineJournal>;

async function act(client: SimulatedClient, Journal: Journal, notes: Notes): Promise<void> {
  const id = client.pick(ids);
  const object = client.object(Journal, id, { fresh: client.random() < 0.3 });
  const entry = (n: number) => `${client.name}.${client.step}.${n}`;
  const append = async (n: number, slowly: boolean) => {
    await (slowly ? object.appendSlowly(entry(n)) : object.append(entry(n)));
    notes.acknowledged.add(entry(n));
  };
  const lot = client.random();
  if (lot < 0.4) {
    // In a row, without waiting for the answers.
    const burst = client.random() < 0.4 ? 3 : 1;
    const all = Array.from({ length: burst }, (_, n) => append(n, client.random() < 0.2));
    await settled(all);
  } else if (lot < 0.5) await object.refuse(entry(0)).catch(() => {});
  else if (lot < 0.6) await object.look();
  else if (lot < 0.75) await object.read();
  else if (lot < 0.9) {
    const fails = client.random() < 0.3 ? Math.ceil(client.random() * 4) : 0;
    await object.set(client.pick(alarms), Math.floor(client.random() * 3000), fails);
  } else if (lot < 0.96) await object.cancel(client.pick(alarms));
  else await client.delete(Journal, "mortal");
}

/** Waits for all, and fails as the first that failed. */
async function settled(all: readonly Promise<void>[]): Promise<void> {
  await Promise.allSettled(all);
  await Promise.all(all);
}

/** Effects run once, and only of what was durable; whoever was answered had his. */
function check({ written }: SimulationEnd, _Journal: Journal, notes: Notes): void {
  const durable = new Set(
    written.flatMap(({ text }) => {
      const { state } = JSON.parse(text) as { state?: { state?: Partial<JournalState> } };
      return state?.state?.entries ?? [];
    }),
  );
  for (const [entry, count] of notes.effects) {
    if (count > 1) throw new Error(`the effect of ${entry} ran ${count} times`);
    // What a deletion has overtaken is durable in what it deleted.
    const deleted = written.some(({ text }) => text.includes('"ended"'));
    if (!durable.has(entry) && !deleted) throw new Error(`an effect of ${entry} ran for nothing`);
  }
  for (const entry of notes.acknowledged) {
    if (!notes.effects.has(entry)) throw new Error(`the effect of ${entry} did not run`);
  }
}
