import { readCookie } from "../../adapters/web/cookies.ts";
import { internalsOf } from "../../adapters/web/internals.ts";
import type { Holdfast } from "../../mod.ts";
import { watchForEnd } from "../../src/stash/session_end.ts";
import { assert, assertEquals, test } from "../harness/mod.ts";
import { Cart } from "./definitions.ts";
import { browser, hour, minute, type World, world } from "./world.ts";

/** A user whose session is stored, and something that lives as long as it does. */
async function begin(at: World, node: Holdfast, lives: Holdfast = node) {
  const user = browser();
  await user.visit(node, async (session) => {
    const cart = await session.stash(Cart);
    cart.state.items.push("kelp");
    await at.finish(cart.stash());
  });
  const { sessions, cookie: { name } } = internalsOf(lives, "a test");
  const live = await sessions.openLive(readCookie(user.cookie, name), 0, {});
  assert(live, "the cookie proves a session");
  assertEquals(await at.finish(live.look()), "begun");
  live.active();
  let ends = 0;
  const stop = watchForEnd(live, at.clock, () => void ends++);
  await at.clock.advance(100);
  return { user, live, stop, ends: () => ends };
}

const turn = async (at: World, minutes: number, each: () => void = () => {}): Promise<void> => {
  for (let passed = 0; passed < minutes; passed++) {
    await at.clock.advance(minute);
    each();
  }
};

test("[DC14] the end of a session in this process is heard at once, and once", async () => {
  const at = world();
  const node = at.node();
  const { user, ends, stop } = await begin(at, node);
  assertEquals(ends(), 0);
  await user.visit(node, (session) => at.finish(session.destroy()));
  assertEquals(ends(), 1);
  await turn(at, 30);
  stop();
  assertEquals(ends(), 1);
});

test("[DC14] a session that is used lives, one that is not expires, and that is noticed", async () => {
  const at = world();
  const { live, ends } = await begin(at, at.node({ lifetime: { idleMs: hour } }));
  await turn(at, 90, () => live.active());
  assertEquals(ends(), 0);
  await turn(at, 40);
  assertEquals(ends(), 0);
  await turn(at, 25);
  assertEquals(ends(), 1);
});

test("[DC14] what another node has ended is noticed within five minutes, also if storage was away", async () => {
  const at = world();
  const [one, two] = [at.node(), at.node()];
  const { user, ends } = await begin(at, one, two);
  await user.visit(one, (session) => at.finish(session.destroy()));
  assertEquals(ends(), 0);
  at.storage.plan = () => "refuse";
  await turn(at, 6);
  assertEquals(ends(), 0);
  at.storage.plan = () => "none";
  await turn(at, 6);
  assertEquals(ends(), 1);
});

test("[DC14] who stops watching hears nothing", async () => {
  const at = world();
  const node = at.node();
  const { user, ends, stop } = await begin(at, node);
  stop();
  await user.visit(node, (session) => at.finish(session.destroy()));
  await turn(at, 6);
  assertEquals(ends(), 0);
});
