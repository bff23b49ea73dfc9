import fc from "fast-check";
import { hidden, masked } from "../../adapters/inspector/mask.ts";
import type { JsonValue } from "../../src/core/json.ts";
import { mintSid } from "../../src/core/token.ts";
import { encodeId } from "../../src/core/key.ts";
import { assert, assertEquals, test } from "../harness/mod.ts";
import { Jar, Page } from "../live/world.ts";
import { base, Berth, Chart, harbour, origin, textOf } from "./world.ts";

const random = { bytes: (length: number) => crypto.getRandomValues(new Uint8Array(length)) };

/** The parts of a cookie or token that are worth something; the head of a token is the same in all. */
const partsOf = (text: string) => text.split(/[.=;\s]/).filter((part) => part.length >= 43);

test("[IN4] no session id, cookie or token is in any page, wherever it was stored", async () => {
  const node = harbour();
  const { at, holdfast } = node;
  const jar = new Jar();
  await at.finish(jar.request(node, "/none"));
  const added = await at.finish(
    Promise.resolve(node.app.request(`${origin}/add`, { method: "POST" })),
  );
  const cookie = added.headers.get("set-cookie")?.split(";")[0] ?? "";
  const other = await Page.load(at, node, base, new Jar());
  const { token } = other.root();
  const sid = mintSid(random);
  const known = [cookie, token, sid, other.jar.cookie ?? ""].filter((one) => one !== "");
  assert(known.length === 4 && known.every((one) => partsOf(one).length > 0), String(known));
  const value = (name: string): JsonValue => ({
    plain: name,
    within: `Cookie: theme=dark; ${name}; other=1`,
    list: [name, [`"${name}"`, { [name]: name }]],
    long: `${"x ".repeat(300)}${name}`,
    cut: `${"x ".repeat(180)}${name}`,
  });
  for (const [i, name] of known.entries()) {
    await at.finish(holdfast.object(Berth, `ship-${i}`).dock(value(name)));
    await at.finish(holdfast.object(Berth, name.slice(0, 200)).dock());
    const nodes = [{ id: `c${i}`, type: "card", attrs: { v: value(name) }, parent: null }];
    await at.finish(holdfast.document(Chart, "bay").mutate({ op: "put", nodes }, { actor: name }));
    await at.finish(holdfast.document(Chart, name.slice(0, 200)).mutate({ op: "put", nodes: [] }));
  }
  const paths = ["", "/objects", "/documents", "/documents/chart/bay", "/sessions", "/node"];
  for (const [i, name] of known.entries()) {
    paths.push(`/objects/berth/ship-${i}`);
    paths.push(`/objects/berth/${encodeId(name.slice(0, 200))}`);
    paths.push(`/documents/chart/${encodeId(name.slice(0, 200))}`);
    paths.push(`/objects?class=berth&id=${encodeURIComponent(name)}`);
    paths.push(`/documents?class=chart&id=${encodeURIComponent(name.slice(0, 60))}`);
    paths.push(`/objects?class=berth&after=${encodeId(name.slice(0, 200))}`);
    paths.push(`/node?done=${encodeURIComponent(name)}&x=${encodeURIComponent(name)}`);
  }
  for (const path of paths) {
    const response = await node.ask(path);
    assertEquals(response.status, 200, path);
    // The page's own token is its own; it is of no session that anybody has.
    const shown = (await response.text()).replace(/ data-live-token="[^"]*"/, "");
    for (const part of known.flatMap(partsOf)) {
      assert(!shown.includes(part), `${path} shows ${part}`);
    }
  }
  // Nor when they are kept current, nor in the notice after an action.
  const page = await Page.open(at, node, `${base}/objects/berth/ship-0`, new Jar());
  await at.finish(holdfast.object(Berth, "ship-0").dock(value(sid)));
  await at.until(() => page.root().html.includes(">2</span>"));
  const frames = JSON.stringify(page.frames.map((frame) => ({ ...frame, token: "" })));
  for (const part of known.flatMap(partsOf)) assert(!frames.includes(part), "a frame shows it");
});

test("[IN4] nor in the address of the next page of a list", async () => {
  const node = harbour();
  const { at, holdfast } = node;
  const sid = mintSid(random);
  const dock = (id: string) => at.finish(holdfast.object(Berth, id).dock());
  for (let i = 0; i < 49; i++) await dock(`a${i}`);
  await dock(`b.${sid}`);
  for (let i = 0; i < 51; i++) await dock(`${sid}.${i}`);
  for (const query of ["", "&id=b", `&id=${sid}`, `&id=${sid}.`]) {
    const page = await node.page(`/objects?class=berth${query}`);
    assertEquals([page.includes("•••"), page.includes(sid)], [true, false], query);
  }
});

test("[IN4] whatever a text is, no session id or signed token in it is shown", () => {
  const signed = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln";
  const rest = fc.string({ unit: "grapheme", maxLength: 40 });
  fc.assert(
    fc.property(rest, rest, fc.uint8Array({ minLength: 32, maxLength: 32 }), (
      before,
      after,
      bytes,
    ) => {
      const sid = mintSid({ bytes: () => bytes });
      // 32 bytes of chance have both cases in their 43 characters, but for one in 10^9.
      fc.pre(/[A-Z]/.test(sid) && /[a-z]/.test(sid));
      const shown = masked(`${before}${sid}${after} ${signed}`);
      assertEquals([shown.includes(sid), shown.includes("c2ln")], [false, false]);
    }),
    { numRuns: 300 },
  );
});

test("[IN4] names, sentences and hashes are shown as they are", () => {
  for (
    const text of [
      "customer-2026-order-with-a-really-long-name-that-goes-on",
      "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
      "3f2504e0-4f89-11d3-9a0c-0305e82c3301",
      "https://App.example/a/Path/that/is/long/Enough/To/be/taken/for/Something",
      "A sentence with words.",
    ]
  ) assertEquals(masked(text), text);
});

test("[IN5] what redact names is kept back, in states and in operations", async () => {
  const node = harbour({ redact: ["ship.owner.email", "ship.crew.*.name", "nodes.*.attrs.phone"] });
  const { at, holdfast } = node;
  await at.finish(
    holdfast.object(Berth, "north").dock({
      owner: { email: "ada@canary", city: "Oslo" },
      crew: [{ name: "canary-bob", rank: 1 }],
      name: "Kelp",
      password: "canary-pass",
      api_key: { a: "canary-key" },
      tokens: 5,
    }),
  );
  const text = textOf(await node.page("/objects/berth/north"));
  assert(!text.includes("canary"), text);
  assert(/Oslo.*rank 1.*Kelp.*tokens 5/.test(text), text);
  assertEquals(text.match(/redacted/g)?.length, 4);
  const nodes = [{ id: "c", type: "x", attrs: { phone: "canary-5", name: "Sea" }, parent: null }];
  await at.finish(holdfast.document(Chart, "bay").mutate({ op: "put", nodes }));
  const set = { phone: "canary-6", secretNote: "canary-7" };
  await at.finish(holdfast.document(Chart, "bay").mutate({ op: "update", id: "c", set }));
  const page = textOf(await node.page("/documents/chart/bay"));
  assert(!page.includes("canary"), page);
  assert(page.includes("2, ") && page.includes('op "update"'), page);
});

test("[IN5] redact may be a function of path and record", () => {
  const asked: unknown[] = [];
  const isHidden = hidden((path, of) => {
    asked.push([path.join("."), of.kind, of.class, of.id]);
    return path[0] === "a";
  });
  const of = { kind: "object", class: "berth", id: "north" } as const;
  assertEquals([isHidden(["a"], 1, of), isHidden(["b"], 1, of)], [true, false]);
  assertEquals(asked, [["a", "object", "berth", "north"], ["b", "object", "berth", "north"]]);
});

test("[IN12] whatever is in an address, nothing breaks and nothing comes back as HTML", async () => {
  const node = harbour();
  const { at, holdfast } = node;
  const evil = `<img src=x onerror=alert(1)>"'&`;
  await at.finish(holdfast.object(Berth, evil).dock({ [evil]: evil }));
  const word = fc.oneof(
    fc.string({ unit: "binary", maxLength: 30 }),
    fc.string({ unit: "grapheme-ascii", maxLength: 30 }),
    fc.constantFrom(
      "berth",
      "chart",
      "north",
      evil,
      "..",
      "~2E",
      "__proto__",
      "\ud800",
      "%",
      "a".repeat(3000),
    ),
  );
  const names = fc.constantFrom("class", "id", "after", "done", "x");
  const escaped = (text: string) => encodeURIComponent(text.toWellFormed());
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(
        "",
        "/objects",
        "/documents",
        "/sessions",
        "/node",
        "/objects/berth",
        "/live",
      ),
      fc.array(word, { maxLength: 2 }),
      fc.array(fc.tuple(names, word), { maxLength: 4 }),
      fc.boolean(),
      async (start, more, query, raw) => {
        const parts = more.map((part) => raw ? part.replace(/[?#\s\\]/g, "") : escaped(part));
        const asked = query.map(([name, value]) => `${name}=${escaped(value)}`).join("&");
        const response = await node.ask(`${[start, ...parts].join("/")}?${asked}`);
        const html = await response.text();
        assert(response.status < 500, `${response.status} for ${start} ${parts} ${asked}`);
        assert(!html.includes("<img") && !html.includes("onerror=alert(1)>"), html);
      },
    ),
    { numRuns: 80 },
  );
  const page = await node.page(`/objects/berth/${encodeId(evil)}`);
  assert(page.includes("&lt;img src=x onerror=alert(1)&gt;&quot;&#39;&amp;"), page);
});
