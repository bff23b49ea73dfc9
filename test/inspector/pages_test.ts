import { memoryCluster } from "../../adapters/memory/mod.ts";
import { assert, assertEquals, test } from "../harness/mod.ts";
import { Jar, Page } from "../live/world.ts";
import { base, Berth, Chart, gates, harbour, origin, textOf, tileOf } from "./world.ts";

test("[IN6] the overview counts what this process holds", async () => {
  const node = harbour();
  const { at, holdfast } = node;
  await at.finish(holdfast.object(Berth, "north").dock());
  await at.finish(holdfast.object(Berth, "south").later("leave", 3_600_000));
  await at.clock.advance(400_000);
  await at.finish(holdfast.object(Berth, "east").dock());
  const chart = await at.finish(
    holdfast.document(Chart, "bay").join({ deliver: () => true }),
  );
  chart.here({ x: 1 });
  await at.finish(Promise.resolve(node.app.request(`${origin}/add`, { method: "POST" })));
  const page = await node.page("");
  assertEquals(tileOf(page, "Sessions in memory"), "1");
  assertEquals(tileOf(page, "Objects awake"), "1 2 hibernate");
  assertEquals(tileOf(page, "Documents open"), "1 1 subscribers");
  assertEquals(tileOf(page, "Sockets"), "0");
  assertEquals(tileOf(page, "Alarms due"), "0");
  assertEquals(tileOf(page, "Nodes"), "", "there is no cluster");
});

test("[IN6] alarms that are due and have not fired are counted, whoever they wait for", async () => {
  const node = harbour();
  const { at, holdfast } = node;
  await at.finish(holdfast.object(Berth, "north").later("leave", 10_000));
  await at.finish(holdfast.objects.cordon("berth"));
  await at.clock.advance(11_000);
  assertEquals(tileOf(await node.page(""), "Alarms due"), "1");
  holdfast.objects.uncordon("berth");
  await at.clock.advance(60_000);
  assertEquals(tileOf(await node.page(""), "Alarms due"), "0");
});

test("[IN6] a sync and its lag are shown if there is one", async () => {
  const node = harbour({ sync: { status: { state: "live" }, lagMs: 12 } });
  assertEquals(tileOf(await node.page(""), "Replication"), "live 12 ms behind");
  const other = harbour({ sync: { status: { state: "connecting" } } });
  assertEquals(tileOf(await other.page(""), "Replication"), "connecting");
});

test("[IN6] the nodes of a cluster are counted and named", async () => {
  const node = harbour({}, { cluster: memoryCluster() });
  const { at, holdfast } = node;
  await at.finish(holdfast.object(Berth, "north").dock());
  assertEquals(tileOf(await node.page(""), "Nodes"), "1 linked");
  const { address = "" } = holdfast.nodes ?? {};
  assert(address !== "" && textOf(await node.page("/node")).includes(`${address} (this one)`));
});

test("[IN8] objects are found by class and by how their id begins, a page at a time", async () => {
  const node = harbour();
  const { at, holdfast } = node;
  const ids = Array.from({ length: 60 }, (_, i) => `pier/${String(i).padStart(2, "0")}`);
  for (const id of [...ids, "quay <b>", "..", "Ω"]) {
    await at.finish(holdfast.object(Berth, id).dock());
  }
  const linksOf = (html: string) =>
    [...html.matchAll(/href="\/_holdfast\/objects\/berth\/([^"]*)"/g)].map(([, id]) => id);
  const first = await node.page("/objects?class=berth&id=pier");
  assertEquals(linksOf(first).length, 50);
  const more = /rel="next"[^>]*href="([^"]*)"/s.exec(first)?.[1]?.replaceAll("&amp;", "&") ?? "";
  const second = await node.page(more.slice(base.length));
  assertEquals([...linksOf(first), ...linksOf(second)], ids.map((id) => id.replace("/", "~2F")));
  assert(!second.includes('rel="next"'), "it is the last page");
  const quay = await node.page("/objects?class=berth&id=quay+%3C");
  assertEquals(linksOf(quay), ["quay~20~3Cb~3E"]);
  assert(quay.includes(">quay &lt;b&gt;</a>") && quay.includes('value="quay &lt;"'));
  assertEquals(linksOf(await node.page("/objects?class=berth&id=%CE%A9")), ["~CE~A9"]);
  assertEquals(linksOf(await node.page("/objects?class=berth&id=nothing")), []);
  // An id of dots alone is an address all the same.
  assert((await node.page("/objects/berth/~2E~2E")).includes("<h1>berth ..</h1>"));
});

test("[IN9] an object shows its state, version, alarms, mailbox and where it is", async () => {
  const node = harbour();
  const { at, holdfast } = node;
  const north = holdfast.object(Berth, "north");
  await at.finish(north.dock({ name: "Kelp <3", holds: [1, null, true] }));
  await at.finish(north.later("leave", 3_600_000));
  await at.finish(north.later("fail", 0));
  await at.finish(holdfast.objects.fire("berth", "north", "fail").catch(() => {}));
  const page = await node.page("/objects/berth/north");
  const text = textOf(page);
  assert(/ship 2 entries name "Kelp &lt;3" holds 3 entries 0 1 1 null 2 true/.test(text), text);
  assertEquals([tileOf(page, "vsn"), tileOf(page, "Here")], ["3", "in memory"]);
  assert(/leave set 2001-09-09 02:46:4\d UTC 1/.test(text), text);
  assert(text.includes("fail"), "an alarm that has failed");
  const waiting = [north.slow(), north.dock(), north.dock()];
  await at.clock.advance(0);
  assertEquals(tileOf(await node.page("/objects/berth/north"), "Mailbox"), "3 0 wait for storage");
  gates.splice(0).forEach((open) => open());
  await at.finish(Promise.all(waiting));
  assertEquals(tileOf(await node.page("/objects/berth/north"), "Mailbox"), "0 0 wait for storage");
  await at.finish(holdfast.objects.cordon("berth", "north"));
  assertEquals(
    tileOf(await node.page("/objects/berth/north"), "Here"),
    "not in memory here cordoned",
  );
});

test("[IN9] what is deleted, damaged or not there is said", async () => {
  const node = harbour();
  const { at, holdfast } = node;
  assert(textOf(await node.page("/objects/berth/north")).includes("Nothing is stored"));
  await at.finish(holdfast.object(Berth, "north").dock());
  await at.memory.put("app/object/berth/broken", '{"f":1,"rev":4,"by":"x","state":{"vsn":"?"}}');
  await at.memory.put("app/object/berth/scrap", "not JSON");
  await at.finish(holdfast.objects.delete("berth", "north"));
  assert(textOf(await node.page("/objects/berth/north")).includes("Deleted 2001-09-09"));
  for (const id of ["broken", "scrap"]) {
    const text = textOf(await node.page(`/objects/berth/${id}`));
    assert(text.includes("ERR_CORRUPT_RECORD"), text);
  }
  assert(textOf(await node.page("/objects/crane/x")).includes("ERR_UNKNOWN_CLASS"));
});

test("[IN9] looking wakes nobody, writes nothing and is no use of anything", async () => {
  const node = harbour();
  const { at, holdfast } = node;
  await at.finish(holdfast.object(Berth, "north").dock());
  const chart = holdfast.document(Chart, "bay");
  const card = { id: "c", type: "buoy", attrs: {}, parent: null };
  await at.finish(chart.mutate({ op: "put", nodes: [card] }));
  await at.finish(chart.stop());
  await at.clock.advance(400_000);
  const before = await at.records();
  node.events.length = 0;
  for (
    const path of ["", "/objects", "/objects/berth/north", "/documents", "/documents/chart/bay"]
  ) await node.ask(path);
  const names = new Set(node.events.map(({ name }) => name));
  assertEquals([...names].sort(), ["holdfast.storage.get", "holdfast.storage.list"]);
  assertEquals(await at.records(), before);
  assertEquals(tileOf(await node.page("/objects/berth/north"), "Here"), "hibernates");
  assertEquals(tileOf(await node.page("/documents/chart/bay"), "Here"), "not in memory here");
});

test("[IN10] a document shows its state, its last operations and who is here", async () => {
  const node = harbour();
  const { at, holdfast } = node;
  const bay = holdfast.document(Chart, "bay");
  for (let i = 0; i < 60; i++) {
    const nodes = [{ id: `b${i}`, type: "buoy", attrs: { i }, parent: null }];
    await at.finish(bay.mutate({ op: "put", nodes }, { actor: "ada" }));
  }
  await at.finish(bay.undo("ada"));
  await at.finish(bay.restore(3));
  const member = await at.finish(bay.join({ deliver: () => true }));
  member.here({ x: 1 });
  await at.finish(
    holdfast.document(Chart, "cove").mutate({
      op: "put",
      nodes: [{ id: "x", type: "buoy", attrs: {}, parent: null }],
    }),
  );
  const list = await node.page("/documents?class=chart");
  assert(/>bay<\/a>.*>cove<\/a>/s.test(list), list);
  const page = await node.page("/documents/chart/bay");
  assertEquals(tileOf(page, "Subscribers"), "1 1 present");
  assertEquals(tileOf(page, "Operations"), "62 0 in the snapshot");
  // It follows what others write, so storage is not asked for it.
  node.events.length = 0;
  await node.page("/documents/chart/bay");
  assertEquals(node.events.filter(({ name }) => name.startsWith("holdfast.storage")), []);
  const text = textOf(page);
  assert(text.includes("nodes 3 entries b0 5 entries"), text);
  assert(text.includes("The last 50 operations"), text);
  assert(/History .* 62, .* restores .* 61, .* undoes 60/.test(text), text);
  // The same when nothing of it is in memory.
  member.leave();
  await at.finish(bay.stop());
  const cold = textOf(await node.page("/documents/chart/bay"));
  const part = (of: string) => of.slice(of.indexOf("State"), of.indexOf("Memory"));
  assertEquals(part(cold), part(text));
  await at.finish(bay.delete());
  assert(textOf(await node.page("/documents/chart/bay")).includes("ERR_DELETED"));
});

test("[IN16] a page that is open is kept current, unless it is held", async () => {
  const node = harbour();
  const { at, holdfast } = node;
  const north = holdfast.object(Berth, "north");
  await at.finish(north.dock());
  const page = await Page.open(at, node, `${base}/objects/berth/north`, new Jar());
  const calls = () => /calls<\/span> <span class="scalar">(\d+)/.exec(page.root().html)?.[1];
  assertEquals(calls(), "1");
  await at.finish(north.dock());
  await at.until(() => calls() === "2");
  await page.event("pause");
  assert(page.root().html.includes(">Go on</button>"));
  await at.finish(north.dock());
  await at.clock.advance(10_000);
  assertEquals(calls(), "2");
  await page.event("pause");
  assertEquals(calls(), "3");
});

test("[IN16] a list, which costs more, is made anew every ten seconds", async () => {
  const node = harbour();
  const { at, holdfast } = node;
  await at.finish(holdfast.object(Berth, "north").dock());
  const page = await Page.open(at, node, `${base}/objects`, new Jar());
  node.events.length = 0;
  await at.clock.advance(9000);
  assertEquals(node.events.filter(({ name }) => name === "holdfast.storage.get"), []);
  await at.finish(holdfast.object(Berth, "south").dock());
  await at.until(() => page.root().html.includes(">south</a>"), "the new one", 2000);
});

test("[IN16] while storage fails a page says so and shows what it had", async () => {
  const node = harbour();
  const { at, holdfast } = node;
  await at.finish(holdfast.object(Berth, "north").dock());
  const page = await Page.open(at, node, `${base}/objects/berth/north`, new Jar());
  at.storage.plan = () => "refuse";
  await at.until(() => page.root().html.includes("ERR_STORAGE_UNAVAILABLE"));
  assert(page.root().html.includes('<span class="scalar">1</span>'), "what it had");
  assertEquals(page.closedWith, undefined);
  const counts = await node.page("");
  assertEquals(tileOf(counts, "Alarms due"), "–");
  at.storage.plan = () => "none";
  await at.until(() => !page.root().html.includes("ERR_STORAGE_UNAVAILABLE"));
});
