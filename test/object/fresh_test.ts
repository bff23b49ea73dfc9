import { assertEquals, assertRejects, test } from "../harness/mod.ts";
import { lateStorage } from "./late_storage.ts";
import { append, key, look, world } from "./world.ts";

test("[OB20] a fresh turn sees what another engine has acknowledged, any other may not", async () => {
  const w = world();
  const [one, two] = [w.engine(), w.engine()];
  await w.finish(one.run(key, append("a")));
  await w.finish(two.run(key, append("b")));
  assertEquals(await w.finish(one.run(key, look)), ["a"]);
  assertEquals(await w.finish(one.run(key, look, { fresh: true })), ["a", "b"]);
  assertEquals(await w.finish(one.run(key, look)), ["a", "b"]);
});

test("[OB20] a fresh turn is not content with a write that was done before it came", async () => {
  for (const wants of [look, append("c")]) {
    const w = world();
    let answerMs = 0;
    const one = w.engine({}, lateStorage(w.memory, w.clock, () => ({ answerMs })));
    const two = w.engine();
    await w.finish(one.run(key, look));
    answerMs = 100;
    const slow = one.run(key, append("a"));
    await w.clock.advance(10);
    assertEquals(await w.stored(), ["a"]);
    await w.finish(two.run(key, append("b")));
    const fresh = one.run(key, wants, { fresh: true });
    assertEquals(await w.finish(slow), ["a"]);
    assertEquals((await w.finish(fresh)).slice(0, 2), ["a", "b"]);
  }
});

test("[OB20] a fresh turn that comes during a read is not content with that read", async () => {
  const w = world();
  let answerMs = 0;
  const one = w.engine({}, lateStorage(w.memory, w.clock, () => ({ answerMs })));
  const two = w.engine();
  await w.finish(one.run(key, look));
  answerMs = 100;
  const first = one.run(key, look, { fresh: true });
  await w.clock.advance(10);
  await w.finish(two.run(key, append("a")));
  const second = one.run(key, look, { fresh: true });
  assertEquals(await w.finish(first), []);
  assertEquals(await w.finish(second), ["a"]);
});

test("[OB20] fresh turns that came before a read began share it", async () => {
  const w = world();
  const engine = w.engine();
  await w.finish(engine.run(key, look));
  const { get } = w.storage.calls;
  let open = () => {};
  const opened = new Promise<void>((resolve) => open = resolve);
  const slow = engine.run(key, async () => {
    await opened;
    return { kind: "keep", reply: 0 };
  });
  const fresh = Array.from({ length: 10 }, () => engine.run(key, look, { fresh: true }));
  open();
  await w.finish(Promise.all([slow, ...fresh]));
  assertEquals(w.storage.calls.get, get + 1);
});

test("[OB20] a fresh turn without any change since the last read costs no decoding", async () => {
  const w = world();
  const engine = w.engine();
  await w.finish(engine.run(key, append("a")));
  const states: unknown[] = [];
  for (let n = 0; n < 2; n++) {
    await w.finish(engine.run(key, (current) => {
      states.push(current.state);
      return { kind: "keep", reply: 0 };
    }, { fresh: true }));
  }
  assertEquals(states[0] === states[1], true);
});

test("[OB20] a fresh turn fails if the store cannot be read", async () => {
  const w = world();
  const engine = w.engine();
  await w.finish(engine.run(key, append("a")));
  w.storage.plan = ({ operation }) => operation === "get" ? "refuse" : undefined;
  await assertRejects(
    () => w.finish(engine.run(key, look, { fresh: true })),
    "ERR_STORAGE_UNAVAILABLE",
  );
  assertEquals(await w.finish(engine.run(key, look)), ["a"]);
});
