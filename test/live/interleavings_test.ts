import fc from "fast-check";
import { defineView } from "../../adapters/live/mod.ts";
import { assert, assertEquals, test } from "../harness/mod.ts";
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

/** Plays deeds, and returns what the page was promised and what there is at the end. */
async function play(deeds: readonly Deed[]) {
  const at = liveWorld();
  const drain = { answerMs: 50, withinMs: 4000 };
  const timing = { handoverMs: 4000, stashRetryMs: 100, poisonMs: 0 };
  const nodes: LiveNode[] = [at.live([Log], { drain, timing }), at.live([Log], { drain, timing })];
  let current = 0;
  const page = await Page.open(at, nodes[0] as LiveNode, "/log");
  const unanswered = new Map<number, string>();
  const names = new Map<number, string>();
  let named = 0;
  const submit = (ref: number | undefined, entry: string) => {
    const form = { id: "f", data: [["entry", entry]] as [string, string][] };
    const sent = page.fire("submit", {
      type: "submit",
      form,
      ...(ref === undefined ? {} : { ref }),
    });
    unanswered.set(sent, entry);
    names.set(sent, entry);
  };
  const back = async () => {
    for (let tries = 0; tries < 40; tries++) {
      if (nodes[current]?.live.draining !== false) current = 1 - current;
      await page.connect(nodes[current]);
      const joined = await page.join().then(() => true, () => false);
      if (joined) return;
      await at.clock.advance(500);
    }
    throw new Error(`Cannot come back: ${JSON.stringify(page.frames.at(-1))}`);
  };
  const usable = () => page.closedWith === undefined && page.root().joined !== undefined;
  for (const what of deeds) {
    if (what.do === "wait") await at.clock.advance(what.ms);
    else if (what.do === "store") {
      at.storage.plan = what.is === "slow"
        ? () => ({ kind: "none", latencyMs: 400 })
        : () => what.is === "down" ? "refuse" : what.is === "deaf" ? "lose-answer" : "none";
    } else if (what.do === "drain") {
      if (nodes.every(({ live }) => !live.draining)) {
        void nodes[current]?.live.drain();
        nodes[current] = at.live([Log], { drain, timing });
        await at.clock.advance(60);
      }
    } else if (what.do === "drop") page.socket?.drop();
    else if (what.do === "other") {
      current = 1 - current;
      page.socket?.drop();
      await back();
    } else if (what.do === "reconnect" || !usable()) await back();
    if (what.do === "retry") {
      const stored = page.root().joined?.submitted ?? 0;
      for (const [ref, entry] of unanswered) {
        if (ref > stored && page.root().rev > 0) submit(ref, entry);
        break;
      }
    }
    if (what.do === "add" && usable()) {
      const value = `a${named++}`;
      names.set(page.fire("add", { value }), value);
    }
    if (what.do === "submit" && usable() && unanswered.size === 0) submit(undefined, `s${named++}`);
    if (what.do === "boom" && usable()) page.fire("boom");
    await at.clock.advance(0);
    settle();
  }
  function settle() {
    for (const reply of page.of("reply")) {
      if (reply.ok) unanswered.delete(reply.ref);
    }
    if (page.of("error").some(({ id }) => id !== undefined)) {
      const root = page.root();
      if (page.frames.at(-1)?.t === "error") root.joined = undefined;
    }
  }
  at.storage.plan = () => "none";
  await at.clock.advance(5000);
  settle();
  page.socket?.drop();
  await at.clock.advance(70_000);
  await back();
  const [, entries = "", drafts = ""] = /<p>(.*)\|(.*)<\/p>/.exec(page.root().html) ?? [];
  return { kept: [...entries.split(","), ...drafts.split(",")], promised: durable(page, names) };
}

/** What the page was told is durable: acknowledged, and no later than what a notice speaks of. */
function durable(page: Page, names: ReadonlyMap<number, string>): readonly string[] {
  const promised: string[] = [];
  let waiting: { rev: number; name: string }[] = [];
  let upTo = 0;
  for (const frame of page.frames) {
    if (frame.t === "joined") [waiting, upTo] = [[], 0];
    if (frame.t === "stash" && frame.durable) upTo = Math.max(upTo, frame.rev);
    const name = frame.t === "reply" && frame.ok ? names.get(frame.ref) : undefined;
    // Answered without a change: its effect was stored before.
    if (frame.t === "reply" && name !== undefined) waiting.push({ rev: frame.rev ?? 0, name });
    promised.push(...waiting.filter(({ rev }) => rev <= upTo).map(({ name }) => name));
    waiting = waiting.filter(({ rev }) => rev > upTo);
  }
  return promised;
}

const runs = { numRuns: 60 };

test("[LV23] whatever happens, what was called durable is there, no submit has its effect twice, and what crashed has none", async () => {
  let promises = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(deed, { maxLength: 25 }), async (deeds) => {
      const { kept, promised } = await play(deeds);
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
