import assert from "node:assert/strict";
import { createHoldfast, defineObject } from "holdfast";
import { memoryStorage } from "holdfast/memory";
import { createVirtualClock } from "holdfast/testing";

const minute = 60_000;
const outbox: string[] = [];
let mailIsDown = false;

/** Sends a message for it. Fails now and then, as mail does. */
async function mail(to: string, text: string): Promise<void> {
  await Promise.resolve();
  if (mailIsDown) throw new Error("mail is down");
  outbox.push(`${to}: ${text}`);
}

/** A reminder that comes back every ten minutes until it is confirmed. */
const Reminder = defineObject({
  name: "reminder",
  vsn: 1,
  state: () => ({ to: "", text: "", sent: 0 }),
  handlers: {
    set({ state, schedule }, to: string, text: string, at: Date) {
      Object.assign(state, { to, text, sent: 0 });
      schedule("send", at);
    },
    confirm: ({ cancel }) => cancel("send"),
  },
  alarms: {
    async send({ state, schedule }) {
      // If this throws, nothing has happened, and the alarm is tried again.
      await mail(state.to, state.text);
      state.sent++;
      schedule("send", 10 * minute);
    },
  },
});

const clock = createVirtualClock({ now: Date.UTC(2030, 0, 1) });
const memory = memoryStorage();
const start = () =>
  createHoldfast({
    // Not closed with the process that uses it, as a database is not.
    storage: {
      get: (...args) => memory.get(...args),
      put: (...args) => memory.put(...args),
      delete: (...args) => memory.delete(...args),
      list: (...args) => memory.list(...args),
    },
    secrets: ["a secret of 32 bytes or more, from the environment"],
    objects: [Reminder],
    clock,
  });

const first = start();
await first.object(Reminder, "r-1").set("ann", "water the kelp", new Date(clock.now() + minute));
await first.close();

// Down when it was due: it is sent as soon as a process runs again.
await clock.advance(5 * minute);
assert.deepEqual(outbox, []);
await using holdfast = start();
await clock.advance(0);
assert.deepEqual(outbox, ["ann: water the kelp"]);

// Tried again, later each time, while mail is down.
mailIsDown = true;
await clock.advance(11 * minute);
const { scheduled } = await holdfast.objects.alarms(Reminder, "r-1");
assert.ok(scheduled[0] !== undefined && scheduled[0].attempt > 1);
mailIsDown = false;
await clock.advance(5 * minute);
assert.equal(outbox.length, 2);

assert.equal(await holdfast.object(Reminder, "r-1").confirm(), true);
await clock.advance(60 * minute);
assert.equal(outbox.length, 2);
