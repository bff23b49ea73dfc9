import fc from "fast-check";
import { assert, assertEquals, test } from "../harness/mod.ts";
import type { Holdfast, Session } from "../../mod.ts";
import { Cart, Prefs } from "../stash/definitions.ts";
import { anySchedule, type Choices, type Schedule, schedule, tries } from "../stash/schedule.ts";
import { type Browser, browser, secretA, secretB, type World, world } from "../stash/world.ts";

const add = async (session: Session): Promise<number> =>
  (await (await session.stash(Cart)).update((state) => void state.count++)).count;

const count = async (session: Session): Promise<number> => (await session.stash(Cart)).state.count;

/** Writes by reading first, and then storing what changed, as most handlers do. */
const read = async (session: Session): Promise<string> => {
  const prefs = await session.stash(Prefs);
  prefs.state.count = Math.max(prefs.state.count, 1);
  prefs.state.theme = `theme ${prefs.state.theme.length}`;
  await prefs.stash();
  return prefs.status;
};

const end = async (session: Session): Promise<number> => {
  await session.destroy();
  return 0;
};

const rotate = async (session: Session): Promise<number> => {
  await session.rotate();
  return 0;
};

interface Scene {
  readonly at: World;
  readonly schedule: Schedule;
  readonly user: Browser;
  /** Makes a request with the cookie the user had at the beginning. */
  ask<T>(node: Holdfast, handler: (session: Session) => Promise<T>): () => Promise<T>;
}

/** A user with a count of 1, and a store whose calls happen as the schedule says. */
async function scene(
  choices: Choices,
  loses: number,
  prepare?: (at: World, user: Browser) => Promise<void>,
): Promise<Scene> {
  const plan = schedule(choices, loses);
  const at = world(plan.front);
  const user = browser();
  await user.visit(at.node({ secrets: [secretA, secretB] }), add);
  await prepare?.(at, user);
  const { cookie } = user;
  return {
    at,
    schedule: plan,
    user,
    ask: (node, handler) => () => browser(cookie).visit(node, handler),
  };
}

/** The sessions that live, copies that have moved elsewhere not counted. */
const living = async (at: World) =>
  [...(await at.records()).values()]
    .flatMap(({ state }) => state !== undefined && state.moved === undefined ? [state] : []);

const countOf = (session: Awaited<ReturnType<typeof living>>[number] | undefined): unknown =>
  session?.views["cart"]?.keys["count"];

const fulfilled = (results: readonly PromiseSettledResult<unknown>[]): number =>
  results.filter(({ status }) => status === "fulfilled").length;

/** What went wrong in ways that are not allowed to. */
function strange(results: readonly PromiseSettledResult<unknown>[], allowed: readonly string[]) {
  return results.flatMap((result) =>
    result.status === "rejected" && !allowed.includes(result.reason.code) ? [result.reason] : []
  );
}

const faults: readonly (readonly [string, number, readonly string[]])[] = [
  ["", 0, []],
  [" with answers lost", 6, ["ERR_STORAGE_UNAVAILABLE", "ERR_UNRECOVERED"]],
];

for (const [withFaults, loses, trouble] of faults) {
  for (const nodes of [1, 2]) {
    test(`[SE7] no write under way brings an ended session back, on ${nodes} nodes${withFaults} (checklist 14)`, async () => {
      await fc.assert(
        fc.asyncProperty(anySchedule, async (choices) => {
          const { at, schedule, user, ask } = await scene(choices, loses);
          const one = at.node();
          const two = nodes === 1 ? one : at.node();
          let ended = false;
          const results = await schedule.run(at.clock, [
            ask<unknown>(one, add),
            ask<unknown>(two, read),
            ask<unknown>(one, (session) => end(session).then(() => ended = true)),
            ask<unknown>(two, add),
            ask<unknown>(two, count),
          ]);
          const allowed = ["ERR_SESSION_ENDED", ...trouble];
          assertEquals(strange(results, allowed), []);
          // Requests that came when it was over have begun sessions of their own, from nothing.
          const old = [...(await at.records()).values()].filter(({ state }) =>
            state !== undefined && (state.created === 1_000_000_000_000 && state.confirmed)
          );
          if (ended) {
            assertEquals(old, [], "the session is back");
            for (const node of [one, two]) {
              assertEquals(await at.finish(browser(user.cookie).visit(node, count)), 0);
            }
          } else assert(loses > 0, "destroy() failed without a reason");
        }),
        tries,
      );
    });

    test(`[SE8] a new id at login takes every acknowledged write along, and the old id stays dead, on ${nodes} nodes${withFaults} (checklist 12)`, async () => {
      await fc.assert(
        fc.asyncProperty(anySchedule, async (choices) => {
          const { at, schedule, user, ask } = await scene(choices, loses);
          const one = at.node();
          const two = nodes === 1 ? one : at.node();
          const login = browser(user.cookie);
          const additions = [ask(one, add), ask(two, add), ask(two, add)];
          let rotated = false;
          const results = await schedule.run(at.clock, [
            ...additions,
            () => login.visit(one, (session) => rotate(session).then(() => (rotated = true, 0))),
            ask(two, count),
          ]);
          assertEquals(strange(results, ["ERR_SESSION_ENDED", ...trouble]), []);
          const mine = await at.finish(login.visit(at.node(), count));
          // A request that came too late has begun a session of its own, and was told 1.
          const acknowledged = results.slice(0, additions.length)
            .filter((result) => result.status === "fulfilled" && result.value > 1).length;
          // Storage that fails at the wrong moment leaves it open which of the two ids goes on.
          if (!rotated) return assert(loses > 0 && mine >= 1, "the state was lost");
          if (loses === 0) assertEquals(mine, 1 + acknowledged, "a write was lost");
          else assert(mine >= 1 + acknowledged, `${acknowledged} acknowledged, ${mine} there`);
          for (const node of [one, two]) {
            assertEquals(
              await at.finish(browser(user.cookie).visit(node, count)),
              0,
              "the old id lives",
            );
          }
        }),
        tries,
      );
    });
  }

  test(`[SE8] of two rotations and an end at once, at most one session is left${withFaults}`, async () => {
    await fc.assert(
      fc.asyncProperty(anySchedule, async (choices) => {
        const { at, schedule, ask } = await scene(choices, loses);
        const [one, two] = [at.node(), at.node()];
        const results = await schedule.run(at.clock, [
          ask(one, rotate),
          ask(two, rotate),
          ask(two, end),
        ]);
        assertEquals(strange(results, ["ERR_SESSION_ENDED", ...trouble]), []);
        const left = (await living(at)).length;
        // An answer that was lost can leave a copy that nobody has the cookie of.
        if (loses === 0) assert(left <= 1, `${left} sessions are left`);
      }),
      tries,
    );
  });

  test(`[SE16] [SE17] nodes that disagree on the secret lose no write and keep one session${withFaults}`, async () => {
    await fc.assert(
      fc.asyncProperty(anySchedule, async (choices) => {
        const { at, schedule, user, ask } = await scene(choices, loses);
        const older = at.node({ secrets: [secretA, secretB] });
        const newer = at.node({ secrets: [secretB, secretA] });
        const results = await schedule.run(at.clock, [
          ask(older, add),
          ask(newer, add),
          ask(newer, add),
          ask(older, add),
          ask(newer, count),
        ]);
        assertEquals(strange(results, ["ERR_CONFLICT", ...trouble]), []);
        const acknowledged = fulfilled(results.slice(0, 4));
        const final = await at.finish(browser(user.cookie).visit(newer, count));
        if (loses === 0) assertEquals(final, 1 + acknowledged);
        else assert(final >= 1 + acknowledged, `${acknowledged} acknowledged, ${final} there`);
        const sessions = await living(at);
        assertEquals([sessions.length, countOf(sessions[0])], [1, final]);
      }),
      tries,
    );
  });

  test(`[SE7] [SE17] an end wins over moves between secrets under way${withFaults} (checklist 14)`, async () => {
    await fc.assert(
      fc.asyncProperty(anySchedule, fc.nat({ max: 2 }), async (choices, moves) => {
        const { at, schedule, user, ask } = await scene(choices, loses, async (at, user) => {
          for (let i = 0; i < moves; i++) {
            const secrets = i % 2 === 0 ? [secretB, secretA] : [secretA, secretB];
            await user.visit(at.node({ secrets }), count);
          }
        });
        const older = at.node({ secrets: [secretA, secretB] });
        const newer = at.node({ secrets: [secretB, secretA] });
        let ended = false;
        const results = await schedule.run(at.clock, [
          ask(newer, count),
          ask(older, count),
          ask(newer, (session) => end(session).then(() => (ended = true, 0))),
          ask(older, count),
        ]);
        assertEquals(strange(results, ["ERR_CONFLICT", "ERR_SESSION_ENDED", ...trouble]), []);
        if (!ended) return assert(loses > 0, "destroy() failed without a reason");
        for (const node of [older, newer, at.node({ secrets: [secretB, secretA] })]) {
          assertEquals(await at.finish(browser(user.cookie).visit(node, count)), 0);
        }
        assertEquals(await living(at), []);
      }),
      tries,
    );
  });

  test(`[SE8] [SE17] a new id at login takes along what another node has moved${withFaults}`, async () => {
    await fc.assert(
      fc.asyncProperty(anySchedule, async (choices) => {
        const { at, schedule, user, ask } = await scene(choices, loses);
        const older = at.node({ secrets: [secretA, secretB] });
        const newer = at.node({ secrets: [secretB, secretA] });
        const login = browser(user.cookie);
        let rotated = false;
        const results = await schedule.run(at.clock, [
          ask(newer, add),
          () => login.visit(older, (session) => rotate(session).then(() => (rotated = true, 0))),
          ask(newer, add),
        ]);
        assertEquals(
          strange(results, ["ERR_CONFLICT", "ERR_SESSION_ENDED", ...trouble]),
          [],
        );
        const acknowledged = [results[0], results[2]]
          .filter((result) => result?.status === "fulfilled" && result.value > 1).length;
        const mine = await at.finish(login.visit(older, count));
        if (!rotated) return assert(mine >= 1, "the state was lost");
        if (loses === 0) assertEquals(mine, 1 + acknowledged);
        else assert(mine >= 1 + acknowledged, `${acknowledged} acknowledged, ${mine} there`);
        for (const node of [older, newer]) {
          assertEquals(
            await at.finish(browser(user.cookie).visit(node, count)),
            0,
            "the old id lives",
          );
        }
      }),
      tries,
    );
  });
}

test("[SE7] a session that is ended by the request that begins it stays ended", async () => {
  await fc.assert(
    fc.asyncProperty(anySchedule, fc.nat({ max: 60 }), async (choices, delay) => {
      const plan = schedule(choices);
      const at = world(plan.front);
      const user = browser();
      const results = await plan.run(at.clock, [
        () =>
          user.visit(at.node(), async (session) => {
            const writes = Promise.allSettled([add(session), add(session), read(session)]);
            for (let i = 0; i < delay; i++) await null;
            await session.destroy();
            await writes;
          }),
      ]);
      assertEquals(fulfilled(results), 1);
      assertEquals([await living(at), user.cookie], [[], null]);
    }),
    tries,
  );
});
