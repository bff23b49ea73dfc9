import type {
  SimulatedClient,
  SimulationEnd,
  SimulationOptions,
} from "../../../adapters/testing/mod.ts";
import { defineStash, type Holdfast, HoldfastError, type Session } from "../../../mod.ts";
import { StorageUnavailableError } from "../../../src/core/errors.ts";

const Cart = defineStash({
  name: "cart",
  vsn: 1,
  stored: { items: "session", note: "reconnect" },
  state: () => ({ items: [] as string[], note: "" }),
});

const Cart2 = defineStash({
  name: "cart",
  vsn: 2,
  stored: { lines: "session", note: "reconnect" },
  state: () => ({ lines: [] as { item: string }[], note: "" }),
  migrate: (_from, { items = [], ...rest }) => ({
    ...rest,
    lines: (items as string[]).map((item) => ({ item })),
  }),
});

/** Each client writes a key of its own. */
const Marks = defineStash({
  name: "marks",
  vsn: 1,
  stored: ["c1", "c2", "c3"],
  state: (): Record<string, string> => ({ c1: "", c2: "", c3: "" }),
});

/** What is known of one session, whatever its ids were. */
interface Life {
  readonly acknowledged: Set<string>;
  readonly unknown: Set<string>;
  /** What each client has marked last, and may have marked since. */
  readonly marks: Map<string, readonly string[]>;
  /** Every cookie it had; the last one is its own. */
  readonly cookies: string[];
  ended: boolean;
  /** Whether it has ended, or got a new id, is not known. */
  doubtful: boolean;
}

interface Notes {
  /** The cookie of each browser. */
  readonly jars: Map<string, string>;
  /** By session id. */
  readonly lives: Map<string, Life>;
  /** The page of each client, as the server gave it out. */
  readonly pages: Map<string, string>;
  /** Everything telemetry was told. */
  readonly events: string[];
}

const sidOf = (cookie: string): string => /=v1\.[^.]*\.([^.]*)/.exec(cookie)?.[1] ?? "";

const fresh = (): Notes => ({ jars: new Map(), lives: new Map(), pages: new Map(), events: [] });

/** Tabs of two browsers, two versions of a stash, logins and logouts. */
export function sessions(): Omit<SimulationOptions<Notes>, "seed"> {
  let notes = fresh();
  return {
    objects: [],
    steps: 8,
    holdfast: {
      lifetime: { unconfirmedMs: 24 * 60 * 60_000 },
      telemetry: (event) => void notes.events.push(JSON.stringify(event)),
    },
    notes: () => notes = fresh(),
    workload: act,
    check,
  };
}

type Handler<T> = (session: Session) => Promise<T>;

/** What a response brings: what the handler returned or threw, and the cookie. */
interface Response<T> {
  readonly value?: T;
  readonly error?: unknown;
  readonly setCookie: string | undefined;
}

async function respond<T>(
  holdfast: Holdfast,
  cookie: string | undefined,
  handler: Handler<T>,
): Promise<Response<T>> {
  const open = holdfast.open(cookie);
  try {
    const value = await handler(open.session);
    return { value, setCookie: open.seal() };
  } catch (error) {
    return { error, setCookie: open.seal() };
  }
}

/** One request of a tab; tells which session it was about, and whether it is known what happened. */
async function visit<T>(
  client: SimulatedClient,
  notes: Notes,
  handler: Handler<T>,
): Promise<{ readonly life: Life | undefined; readonly value: T }> {
  const jar = client.name === "c3" ? "other" : "one";
  const cookie = notes.jars.get(jar);
  const before = cookie === undefined ? undefined : notes.lives.get(sidOf(cookie));
  const { value, error, setCookie } = await client.ask((holdfast) =>
    respond(holdfast, cookie, handler)
  );
  // An id that a request has left before it failed goes on under the one in its answer, or does not.
  const after = remember(notes, before, setCookie, before !== undefined && error !== undefined);
  // As a browser does, but for answers that were overtaken.
  if (setCookie !== undefined && notes.jars.get(jar) === cookie) {
    if (setCookie.includes("Max-Age=0")) notes.jars.delete(jar);
    else notes.jars.set(jar, setCookie.split(";")[0] ?? "");
  }
  if (error !== undefined) throw error;
  return { life: after, value: value as T };
}

function remember(
  { lives }: Notes,
  before: Life | undefined,
  setCookie: string | undefined,
  doubtful: boolean,
): Life | undefined {
  if (setCookie === undefined || setCookie.includes("Max-Age=0")) return before;
  const cookie = setCookie.split(";")[0] ?? "";
  const known = lives.get(sidOf(cookie));
  if (known !== undefined) return known;
  const life: Life = {
    acknowledged: new Set(),
    unknown: new Set(),
    marks: new Map(),
    cookies: [cookie],
    ended: false,
    doubtful,
  };
  lives.set(sidOf(cookie), life);
  return life;
}

/** Whether an error says for certain that nothing happened. */
const isCertain = (error: unknown): boolean =>
  error instanceof HoldfastError &&
  !(error instanceof StorageUnavailableError && error.outcome === "unknown");

async function act(client: SimulatedClient, notes: Notes): Promise<void> {
  const entry = `${client.name}.${client.step}`;
  const lot = client.random();
  if (lot < 0.4) await add(client, notes, entry);
  else if (lot < 0.6) await mark(client, notes, entry);
  else if (lot < 0.85) await note(client, notes, entry);
  else if (lot < 0.9) await spoil(client, notes);
  else if (lot < 0.96) await rotate(client, notes);
  else await end(client, notes);
}

function lifeOf(client: SimulatedClient, { jars, lives }: Notes): Life | undefined {
  return lives.get(sidOf(jars.get(client.name === "c3" ? "other" : "one") ?? ""));
}

async function add(client: SimulatedClient, notes: Notes, entry: string): Promise<void> {
  const before = lifeOf(client, notes);
  const isOld = client.random() < 0.5;
  try {
    const { life } = await visit(client, notes, async (session) => {
      if (isOld) await (await session.stash(Cart)).update((state) => void state.items.push(entry));
      else {
        const cart = await session.stash(Cart2);
        await cart.update((state) => void state.lines.push({ item: entry }));
      }
    });
    life?.acknowledged.add(entry);
  } catch (error) {
    if (!isCertain(error)) before?.unknown.add(entry);
    throw error;
  }
}

async function mark(client: SimulatedClient, notes: Notes, entry: string): Promise<void> {
  const before = lifeOf(client, notes);
  try {
    const { life } = await visit(client, notes, async (session) => {
      const marks = await session.stash(Marks);
      marks.state[client.name] = entry;
      await marks.stash();
    });
    life?.marks.set(client.name, [entry]);
  } catch (error) {
    const known = before?.marks.get(client.name) ?? [""];
    if (!isCertain(error)) before?.marks.set(client.name, [...known, entry]);
    throw error;
  }
}

/** A draft is of its page: no other may see it. */
async function note(client: SimulatedClient, notes: Notes, entry: string): Promise<void> {
  const page = notes.pages.get(client.name);
  const { value } = await visit(client, notes, async (session) => {
    const cart = await session.stash(Cart2, page === undefined ? {} : { page });
    const found = cart.state.note;
    cart.state.note = `${client.name} ${entry}`;
    await cart.stash();
    return { page: cart.page, found };
  });
  notes.pages.set(client.name, value.page);
  if (value.found !== "" && !value.found.startsWith(`${client.name} `)) {
    throw new Error(`a page sees the draft of another: ${value.found}`);
  }
}

/** What JSON cannot carry is refused when it is stashed, not changed on its way. */
async function spoil(client: SimulatedClient, notes: Notes): Promise<void> {
  const outcome = await visit(client, notes, async (session) => {
    const marks = await session.stash(Marks);
    marks.state[client.name] = NaN as unknown as string;
    await marks.stash();
  }).then(() => "stored", (error) => {
    if (error instanceof HoldfastError && error.code === "ERR_INVALID_VALUE") return "refused";
    throw error;
  });
  if (outcome !== "refused") throw new Error("a value that JSON cannot carry was stored");
}

async function rotate(client: SimulatedClient, notes: Notes): Promise<void> {
  const before = lifeOf(client, notes);
  if (before === undefined) return;
  try {
    const { life } = await visit(client, notes, (session) => session.rotate());
    if (life === undefined || life === before) return;
    // The same session under another id.
    const [cookie = ""] = life.cookies;
    // Logged out with the id of before, which was dead by then: that ends nothing.
    if (before.ended) before.doubtful = true;
    before.cookies.push(cookie);
    notes.lives.set(sidOf(cookie), before);
  } catch (error) {
    before.doubtful = true;
    throw error;
  }
}

async function end(client: SimulatedClient, notes: Notes): Promise<void> {
  const before = lifeOf(client, notes);
  if (before === undefined) return;
  try {
    const cookie = before.cookies.at(-1);
    await visit(client, notes, (session) => session.destroy());
    if (cookie === before.cookies.at(-1)) before.ended = true;
    else before.doubtful = true;
  } catch (error) {
    before.doubtful = true;
    throw error;
  }
}

async function check(end: SimulationEnd, notes: Notes): Promise<void> {
  checkSecrecy(end, notes);
  checkVersions(end);
  for (const life of new Set(notes.lives.values())) {
    const last = life.cookies.at(-1);
    for (const cookie of life.cookies) {
      const isDead = !life.doubtful && (life.ended || cookie !== last);
      await checkLife(end.holdfast, life, cookie, isDead);
    }
  }
}

async function checkLife(
  holdfast: Holdfast,
  life: Life,
  cookie: string,
  isDead: boolean,
): Promise<void> {
  const { session } = holdfast.open(cookie);
  const cart = await session.stash(Cart2);
  const marks = await session.stash(Marks);
  if (isDead) {
    if (cart.status !== "not_found") throw new Error(`an ended session is ${cart.status}`);
    return;
  }
  if (life.doubtful) return;
  const items = cart.state.lines.map(({ item }) => item);
  const strange = items.find((item) => !life.acknowledged.has(item) && !life.unknown.has(item));
  if (strange !== undefined) throw new Error(`${strange} was refused and is stored`);
  if (new Set(items).size !== items.length) throw new Error(`an item is there twice: ${items}`);
  const lost = [...life.acknowledged].find((item) => !items.includes(item));
  if (lost !== undefined) throw new Error(`${lost} was acknowledged and is lost`);
  for (const [name, possible] of life.marks) {
    const found = marks.state[name] ?? "";
    if (!possible.includes(found)) throw new Error(`${name} is ${found}, not one of ${possible}`);
  }
}

/** No session id is in the store, or in what telemetry is told. */
function checkSecrecy({ written }: SimulationEnd, { lives, events }: Notes): void {
  for (const sid of lives.keys()) {
    const leak = [...written.flatMap(({ key, text }) => [key, text]), ...events]
      .find((text) => text.includes(sid));
    if (leak !== undefined) throw new Error("a session id has left the cookie");
  }
}

/** An old version never writes over a new one. */
function checkVersions({ written }: SimulationEnd): void {
  const latest = new Map<string, number>();
  for (const { key, text } of written) {
    const { state } = JSON.parse(text) as { state?: { views?: { cart?: { vsn?: number } } } };
    // The mark of an ended session has no versions.
    const vsn = state?.views?.cart?.vsn ?? latest.get(key) ?? 0;
    if (vsn < (latest.get(key) ?? 0)) throw new Error("an old version wrote over a new one");
    latest.set(key, vsn);
  }
}
