import fc from "fast-check";
import { defineView } from "../../adapters/live/mod.ts";
import { assert, assertEquals, test } from "../harness/mod.ts";
import type { FaultPlan } from "../../adapters/testing/mod.ts";
import { type LiveNode, liveWorld, Page } from "./world.ts";

/** What may happen to a page. */
type Deed =
  | { readonly do: "add" | "submit" | "boom" | "drop" | "reconnect" | "other" | "drain" | "retry" }
  | { readonly do: "wait"; readonly ms: number }
  | { readonly do: "store"; readonly is: "up" | "down" | "slow" | "deaf" };

const deed: fc.Arbitrary<Deed> = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Deed>({ do: "add" }) },
  { weight: 3, arbitrary: fc.constant<Deed>({ do: "submit" }) },
  {
    weight: 4,
    arbitrary: fc.constantFrom<Deed["do"]>("boom", "drop", "reconnect", "other", "drain", "retry")
      .map((what) => ({ do: what }) as Deed),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.nat({ max: 900 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("store" as const),
      is: fc.constantFrom("up" as const, "down" as const, "slow" as const, "deaf" as const),
    }),
  },
);

/** Each event brings a name of its own, so that a lost or doubled one is seen. */
const Log = defineView({
  name: "log",
  stored: { entries: "session", drafts: "reconnect" },
  state: () => ({ entries: [] as string[], drafts: [] as string[] }),
  events: {
    add: ({ state }, input) => void state.drafts.push(String(input)),
    submit: ({ state }, input) => {
      state.entries.push(String((input as { entry?: string }).entry));
    },
    boom({ state }) {
      state.entries.push("never");
      throw new Error("boom");
    },
  },
  render: ({ state }) => `<p>${state.entries.join()}|${state.drafts.join()}</p>`,
});

/** A page on two nodes, whatever happens to it. */
class Play {
  readonly names: Map<number, string> = new Map();
  readonly #at = liveWorld();
  readonly #unanswered: Map<number, string> = new Map();
  readonly #nodes: LiveNode[];
  #page: Page | undefined;
  #current = 0;
  #named = 0;

  constructor() {
    this.#nodes = [this.#node(), this.#node()];
  }

  /** Plays deeds, and returns what there is at the end and what the page was promised. */
  async run(deeds: readonly Deed[]) {
    const at = this.#at;
    this.#page = await Page.open(at, this.#nodes[0] as LiveNode, "/log");
    for (const deed of deeds) {
      await this.#happen(deed);
      await at.clock.advance(0);
      this.#settle();
    }
    at.storage.plan = () => "none";
    await at.clock.advance(5000);
    this.#page.socket?.drop();
    await at.clock.advance(70_000);
    await this.#back();
    const [, entries = "", drafts = ""] = /<p>(.*)\|(.*)<\/p>/.exec(this.#page.root().html) ?? [];
    const kept = [...entries.split(","), ...drafts.split(",")];
    return { kept, promised: durable(this.#page, this.names) };
  }

  #node(): LiveNode {
    const drain = { answerMs: 50, withinMs: 4000 };
    const timing = { handoverMs: 4000, stashRetryMs: 100, poisonMs: 0 };
    return this.#at.live([Log], { drain, timing });
  }

  async #happen(deed: Deed): Promise<void> {
    const page = this.#page as Page;
    if (deed.do === "wait") return await this.#at.clock.advance(deed.ms);
    if (deed.do === "store") {
      return void (this.#at.storage.plan = plans[deed.is]);
    }
    if (deed.do === "drop") return page.socket?.drop();
    if (deed.do === "drain") return await this.#drain();
    if (deed.do === "other") {
      this.#current = 1 - this.#current;
      page.socket?.drop();
      return await this.#back();
    }
    const isUsable = page.closedWith === undefined && page.root().joined !== undefined;
    if (deed.do === "reconnect" || !isUsable) await this.#back();
    if (deed.do === "add") this.#add(page);
    if (deed.do === "submit" && this.#unanswered.size === 0) this.#submit(undefined);
    if (deed.do === "boom") page.fire("boom");
    if (deed.do === "retry") this.#retry(page);
  }

  #add(page: Page): void {
    const value = `a${this.#named++}`;
    this.names.set(page.fire("add", { value }), value);
  }

  #submit(known: number | undefined): void {
    const entry = (known === undefined ? undefined : this.names.get(known)) ?? `s${this.#named++}`;
    const form = { id: "f", data: [["entry", entry]] as [string, string][] };
    const over = known === undefined ? {} : { ref: known };
    const ref = (this.#page as Page).fire("submit", { type: "submit", form, ...over });
    this.#unanswered.set(ref, entry);
    this.names.set(ref, entry);
  }

  /** Sends a submit again that was not answered, unless the server says that it is stored. */
  #retry(page: Page): void {
    const [ref] = this.#unanswered.keys();
    if (ref !== undefined && ref > (page.root().joined?.submitted ?? 0)) this.#submit(ref);
  }

  async #drain(): Promise<void> {
    if (this.#nodes.some(({ live }) => live.draining)) return;
    void this.#nodes[this.#current]?.live.drain();
    this.#nodes[this.#current] = this.#node();
    await this.#at.clock.advance(5000);
  }

  async #back(): Promise<void> {
    const page = this.#page as Page;
    for (let tries = 0; tries < 40; tries++) {
      await page.connect(this.#nodes[this.#current]);
      if (await page.join().then(() => true, () => false)) return;
      await this.#at.clock.advance(500);
    }
    throw new Error(`Cannot come back: ${JSON.stringify(page.frames.at(-1))}`);
  }

  #settle(): void {
    const page = this.#page as Page;
    for (const { ref, ok } of page.of("reply")) if (ok) this.#unanswered.delete(ref);
    if (page.frames.at(-1)?.t === "error") page.root().joined = undefined;
  }
}

const plans: Readonly<Record<"up" | "down" | "slow" | "deaf", FaultPlan>> = {
  up: () => "none",
  down: () => "refuse",
  slow: () => ({ kind: "none", latencyMs: 400 }),
  deaf: () => "lose-answer",
};

/** What the page was told is durable: acknowledged, and no later than what a notice speaks of. */
function durable(page: Page, names: ReadonlyMap<number, string>): readonly string[] {
  const promised: string[] = [];
  let waiting: { rev: number; name: string }[] = [];
  let [upTo, rev, submitted] = [0, 0, 0];
  for (const frame of page.frames) {
    if (frame.t === "joined") [waiting, upTo, submitted] = [[], 0, frame.submitted];
    if (frame.t === "joined" || frame.t === "patch" || frame.t === "reply") rev = frame.rev ?? rev;
    if (frame.t === "stash" && frame.durable) upTo = Math.max(upTo, frame.rev);
    // It gave way to what was stored, and is not shown any more.
    if (frame.t === "stash" && frame.code === "ERR_UNRECOVERED") {
      waiting = waiting.filter((one) => one.rev > frame.rev);
    }
    if (frame.t === "reply" && frame.ok) {
      const name = names.get(frame.ref) ?? "";
      waiting.push({ rev: frame.ref <= submitted ? 0 : rev, name });
    }
    promised.push(...waiting.filter((one) => one.rev <= upTo).map(({ name }) => name));
    waiting = waiting.filter((one) => one.rev > upTo);
  }
  return promised;
}

const runs = { numRuns: 60 };

test("[LV23] whatever happens, what was called durable is there, no submit has its effect twice, and what crashed has none", async () => {
  let promises = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(deed, { maxLength: 25 }), async (deeds) => {
      const { kept, promised } = await new Play().run(deeds);
      const named = kept.filter((entry) => entry !== "");
      assertEquals(named.length, new Set(named).size, `twice: ${named}`);
      assert(!named.includes("never"), "what crashed was stored");
      assertEquals(promised.filter((name) => !named.includes(name)), [], `of ${named}`);
      promises += promised.length;
    }),
    runs,
  );
  assert(promises > 50, `only ${promises} were promised`);
});

test("[LV41] what the property above has found: the first node's late write, and what the second has stored since", async () => {
  const deeds: readonly Deed[] = [
    { do: "store", is: "slow" },
    { do: "submit" },
    { do: "add" },
    { do: "other" },
    { do: "add" },
  ];
  const { kept, promised } = await new Play().run(deeds);
  assertEquals(promised.filter((name) => !kept.includes(name)), []);
  assert(promised.includes("a2"), `promised: ${promised}`);
});
