import { assertEquals } from "../../harness/mod.ts";
import { fixtureApp, Stage } from "./stage.ts";
import { footprint, Typist } from "./typist.ts";

const stage = new Stage(fixtureApp, "node");

stage.scenario(
  "[LB30] restarts in a row under pages that are typed into lose nothing and leak no listener",
  async (s) => {
    let node = await s.node("n0");
    s.proxy.lead(node);
    const typists: Typist[] = [];
    for (let i = 0; i < 3; i++) {
      const page = await (await s.context()).newPage();
      typists.push(await Typist.open(page, s.proxy.url, i, { paceMs: 40, sendAfter: 60 }));
    }
    const before = await footprint(typists);
    let stopped = false;
    const working = typists.map((typist) => typist.work(() => stopped));
    for (let i = 1; i <= 4; i++) {
      const next = await s.node(`n${i}`);
      s.proxy.lead(next);
      node.kill("SIGTERM");
      assertEquals(await node.exited, { code: 0, signal: null }, node.output());
      node = next;
    }
    stopped = true;
    await Promise.all(working);
    for (const typist of typists) await typist.settle();
    assertEquals(typists.flatMap(({ problems }) => problems), []);
    assertEquals((await footprint(typists)).listeners, before.listeners);
    assertEquals(s.proxy.count("GET", "/settings"), typists.length);
  },
);
