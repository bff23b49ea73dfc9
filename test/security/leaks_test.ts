import { inspect } from "node:util";
import * as v from "valibot";
import { assert, assertEquals, test } from "../harness/mod.ts";
import { defineStash, type Session } from "../../mod.ts";
import { Cart } from "../stash/definitions.ts";
import { type Browser, browser, day, partsOf, secretA, secretB, world } from "../stash/world.ts";

const canary = "canary-5f1d7";

const Form = defineStash({
  name: "form",
  vsn: 1,
  stored: ["email", "age"],
  state: () => ({ email: "nobody" as unknown, age: 0 as unknown }),
  schema: v.object({ email: v.pipe(v.string(), v.email()), age: v.number() }),
});

const Skipping = defineStash({
  name: "skipping",
  vsn: 1,
  stored: ["note"],
  state: () => ({ note: "" as unknown }),
  onInvalidValue: "skip",
});

/** Every text in a value, wherever it hides. */
function textsIn(value: unknown, seen: Set<unknown> = new Set()): string[] {
  if (typeof value === "string") return [value];
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return [];
  if (seen.has(value)) return [];
  seen.add(value);
  const texts = value instanceof Error ? [value.message, value.stack ?? "", String(value)] : [];
  for (const key of Reflect.ownKeys(value)) {
    texts.push(String(key), ...textsIn(Reflect.get(value, key), seen));
  }
  return texts;
}

/** What a value looks like in a log, on this runtime and in general. */
function printed(value: unknown): readonly string[] {
  type Inspect = { inspect?: (value: unknown, options?: unknown) => string };
  const { Deno: deno, Bun: bun } = globalThis as { Deno?: Inspect; Bun?: Inspect };
  return [
    JSON.stringify(value),
    String(value),
    inspect(value, { depth: null, showHidden: true, getters: true }),
    deno?.inspect?.(value, { depth: 100, getters: true }) ?? "",
    bun?.inspect?.(value, { depth: 100 }) ?? "",
  ];
}

/** Catches what is printed while a test runs. */
function listen(defer: (cleanup: () => void) => void): string[] {
  const heard: string[] = [];
  for (const name of ["log", "info", "warn", "error", "debug", "trace"] as const) {
    const original = console[name];
    console[name] = (...args) =>
      void heard.push(...args.flatMap((arg) => textsIn(arg)), inspect(args));
    defer(() => void (console[name] = original));
  }
  return heard;
}

/** Everything that happens to sessions, with what was said about them and what must not have been. */
class Scenario {
  readonly at = world();
  readonly one = this.at.node();
  readonly two = this.at.node({ secrets: [secretB, secretA] });
  readonly secrets = new Set<string>([secretA, secretB, canary]);
  readonly said: string[] = [];

  async visit(
    user: Browser,
    handler: (session: Session) => Promise<unknown>,
    node = this.one,
  ): Promise<void> {
    const outcome = await this.at.finish(user.visit(node, async (session) => {
      this.said.push(...printed(session));
      const outcome = await handler(session).catch((error: unknown) => error);
      this.said.push(...printed(session), session.ref);
      return outcome;
    }));
    // What a handler answers is its own affair; what it throws is ours.
    if (outcome instanceof Error) this.say(outcome);
    if (user.cookie === null) return;
    const { sid, tag } = partsOf(user.cookie);
    for (const secret of [sid, tag, user.cookie]) this.secrets.add(secret);
  }

  say(value: unknown): void {
    this.said.push(...textsIn(value), inspect(value, { depth: null }));
  }

  async damage(): Promise<void> {
    const { memory } = this.at;
    for (const key of await memory.list("")) {
      const text = (await memory.get(key))?.value ?? "";
      await memory.put(key, text.replace('"form"', `"form":"${canary}","x"`).slice(0, -3));
    }
  }

  /** Ends it, and answers everything that was said. */
  async end(): Promise<readonly string[]> {
    const { at, one } = this;
    at.clock.jump(40 * day);
    this.say(await at.finish(one.sweep()));
    this.said.push(...printed(one));
    this.say(await at.finish(one.close()));
    // Storage keys open nothing, but they name a user for good.
    for (const key of await at.memory.list("")) this.secrets.add(key.split("/").at(-1) ?? "");
    this.say(at.events);
    return this.said;
  }
}

const cart = (item: unknown) => async (session: Session) => {
  const stash = await session.stash(Cart);
  (stash.state.items as unknown[]).push(item);
  return await stash.stash();
};

const form = (email: unknown, age: unknown) => async (session: Session) => {
  const stash = await session.stash(Form);
  Object.assign(stash.state, { email, age });
  return await stash.stash();
};

const skipping = async (session: Session) => {
  const stash = await session.stash(Skipping);
  stash.state.note = { email: canary, at: new Date(0) };
  return await stash.stash();
};

/** Values that cannot be stored, cookies that cannot be used. */
async function abuse(scenario: Scenario, [a, b]: readonly [Browser, Browser]): Promise<void> {
  await scenario.visit(a, cart({ text: canary, date: new Date(0) }));
  await scenario.visit(a, cart([new Map([[canary, canary]]), BigInt(7)]));
  await scenario.visit(a, cart(canary.repeat(10_000)));
  await scenario.visit(a, skipping);
  await scenario.visit(a, form(canary, canary));
  await scenario.visit(a, async (session) => {
    const stash = await session.stash(Form);
    await stash.update((state) => void (state.email = { [canary]: canary }));
  });
  await scenario.visit(browser(`${a.cookie}; ${b.cookie}`), cart(canary));
  await scenario.visit(browser(`${a.cookie}x`), cart(canary));
}

/** Storage that fails in every way, and nodes that disagree. */
async function trouble(scenario: Scenario, [a, b]: readonly [Browser, Browser]): Promise<void> {
  const { at: { storage, node }, two } = scenario;
  await scenario.visit(a, cart(canary), two);
  await scenario.visit(a, cart(canary));
  storage.plan = () => "refuse";
  await scenario.visit(a, cart(canary));
  await scenario.visit(a, cart(canary), node());
  storage.plan = ({ count }) => count % 2 === 0 ? "lose-answer" : "conflict";
  await scenario.visit(a, cart(canary));
  await scenario.visit(b, (session) => session.rotate());
  storage.plan = ({ operation }) => operation === "put" ? "hang" : "none";
  await scenario.visit(b, cart(canary));
  storage.plan = () => "none";
  await scenario.visit(b, (session) => session.rotate());
}

test("[SE18] no id, cookie, secret or stored value in any event, error, log or printed session (checklist 39)", async (t) => {
  const heard = listen(t.defer);
  const scenario = new Scenario();
  const users = [browser(), browser(), browser()] as const;
  for (const user of users) {
    await scenario.visit(user, cart(canary));
    await scenario.visit(user, form(`${canary}@example.com`, 1));
  }
  const [a, b, c] = users;
  await abuse(scenario, [a, b]);
  await trouble(scenario, [a, b]);
  await scenario.visit(c, (session) => session.destroy());
  await scenario.damage();
  await scenario.visit(a, cart(canary), scenario.at.node());
  const everything = [...await scenario.end(), ...heard];

  const names = new Set(scenario.at.events.map(({ name }) => name));
  const expected = [
    "holdfast.stash.recover",
    "holdfast.stash.skip",
    "holdfast.session.ambiguous_cookie",
    "holdfast.session.move",
    "holdfast.object.discard",
  ] as const;
  assertEquals(expected.filter((name) => !names.has(name)), [], "the scenario did not happen");
  assert(scenario.secrets.size > 12);
  for (const secret of scenario.secrets) {
    const leak = everything.find((text) => text.includes(secret));
    assertEquals(leak?.slice(0, 400), undefined, "something leaked");
  }
  assertEquals(heard, [], "the library printed something");
});

test("[SE18] the log reference is short, the same on every node, and not part of the id (checklist 39)", async () => {
  const at = world();
  const user = browser();
  const refs: string[] = [];
  for (let i = 0; i < 3; i++) {
    await user.visit(at.node(), async (session) => {
      const stash = await session.stash(Cart);
      await stash.update((state) => void state.count++);
      refs.push(session.ref);
    });
  }
  assert(/^[\w-]{8}$/.test(refs[0] ?? ""), refs[0]);
  assertEquals(new Set(refs).size, 1);
  assert(!partsOf(user.cookie).sid.includes(refs[0] ?? ""));
});

test("[SE20] nothing that can be read in the store, or made of it, is a cookie (checklist 25)", async () => {
  const at = world();
  const user = browser();
  const one = at.node();
  await user.visit(one, async (session) => {
    await (await session.stash(Cart)).update((state) => void state.count++);
  });
  await user.visit(at.node({ secrets: [secretB, secretA] }), (session) => session.stash(Cart));
  const { sid, tag } = partsOf(user.cookie);
  const kid = user.cookie?.split(".")[1] ?? "";
  const dump: string[] = [];
  for (const key of await at.memory.list("")) {
    dump.push(key, ...key.split("/"), (await at.memory.get(key))?.value ?? "");
  }
  for (const text of dump) assert(!text.includes(sid) && !text.includes(tag), "the store knows it");
  const pieces = dump.flatMap((text) => text.match(/[\w-]{43}/g) ?? []);
  assert(pieces.length > 0);
  const before = { ...at.storage.calls };
  for (const piece of pieces) {
    for (const other of [piece, sid, "A".repeat(43)]) {
      for (const value of [`v1.${kid}.${piece}.${other}`, `v1.${kid}.${other}.${piece}`, piece]) {
        await browser(`__Host-holdfast=${value}`).visit(one, async (session) => {
          assertEquals((await session.stash(Cart)).status, "not_found");
        });
      }
    }
  }
  assertEquals(at.storage.calls, before);
});
