import fc from "fast-check";
import { assertEquals, test } from "../harness/mod.ts";
import {
  answered,
  claimed,
  edited,
  isDirty,
  submitted,
  untouched,
  visited,
} from "../../src/client/edits.ts";
import { type Entry, pathOf, withoutFiles } from "../../src/client/entries.ts";
import { isSecret, readHandover } from "../../src/client/handover.ts";
import { mergeForm } from "../../src/client/merge.ts";
import { paceOf, waitFor } from "../../src/client/pace.ts";
import { entryOf, followLink, isPage } from "../../src/client/url.ts";

test("[LC44] a control is dirty while an edit has not been answered", () => {
  const twice = edited(edited(untouched));
  assertEquals([isDirty(untouched), isDirty(twice)], [false, true]);
  assertEquals(isDirty(answered(twice, 1)), true, "an answer to the first covers the first");
  assertEquals(isDirty(answered(twice, 2)), false);
  assertEquals(isDirty(answered(answered(twice, 2), 1)), false, "an older one uncovers nothing");
  assertEquals(visited(untouched), { ...untouched, touched: true });
  assertEquals(isDirty(claimed(answered(twice, 2))), true);
  assertEquals(claimed(untouched).touched, false, "claimed is not touched");
});

test("[LC44] what a submit carried is no longer the user's draft; what came after is", () => {
  const once = edited(untouched);
  assertEquals(submitted(once, 1).mine, false);
  assertEquals(submitted(edited(once), 1).mine, true);
  assertEquals([isDirty(submitted(once, 1)), isDirty(submitted(edited(once), 1))], [false, true]);
});

test("[LC41] names are paths, and files are left out", () => {
  assertEquals(pathOf("a"), ["a"]);
  assertEquals(pathOf("user[name]"), ["user", "name"]);
  assertEquals(pathOf("user[tags][]"), ["user", "tags"]);
  assertEquals(pathOf("[x]"), ["[x]"]);
  assertEquals(pathOf("a[b"), ["a[b"]);
  const entries = withoutFiles([["a", "1"], ["f", { size: 1 }], ["a", "2"]]);
  assertEquals(entries, [["a", "1"], ["a", "2"]]);
});

type Entries = readonly Entry[];

function merge(
  old: Entries,
  mine: readonly string[],
  fresh: Entries,
  names: readonly string[] = [],
): Entries | undefined {
  return mergeForm({ entries: old, mine: new Set(mine) }, fresh, names);
}

test("[LC17] the user's values win over the new ones, and all others are the new ones", () => {
  assertEquals(merge([["a", "typed"], ["b", "old"]], ["a"], [["a", ""], ["b", "new"]]), [
    ["a", "typed"],
    ["b", "new"],
  ]);
  assertEquals(merge([], ["box"], [["box", "on"], ["b", "1"]]), [["b", "1"]], "a box unchecked");
  assertEquals(merge([["box", "on"]], ["box"], []), [["box", "on"]], "a box checked");
  assertEquals(
    merge([["t[]", "1"], ["t[]", "2"]], ["t[]"], [["t[]", "0"], ["z", ""]]),
    [["t[]", "1"], ["t[]", "2"], ["z", ""]],
    "names that are there more than once go together",
  );
});

test("[LC16] a form the server has as it is needs no telling", () => {
  assertEquals(merge([["a", "x"]], ["a"], [["a", "x"]]), undefined);
  assertEquals(merge([["a", "old"]], [], [["a", "new"]]), undefined);
  assertEquals(merge([["gone", "1"], ["a", ""]], [], [["a", ""]]), undefined);
});

test("[LC17] rows the server has forgotten go along with what was typed in them", () => {
  const row: Entries = [["row[1][pos]", "1"], ["row[1][name]", "typed"]];
  assertEquals(merge(row, ["row[1][name]"], [["a", ""]]), [["a", ""], ...row]);
});

test("[LC17] a box that others have unchecked is not told as checked beside what was typed", () => {
  const old: Entries = [["a", "typed"], ["box", "on"], ["row", "1"]];
  assertEquals(merge(old, ["a"], [["a", ""]], ["a", "box"]), [["a", "typed"], ["row", "1"]]);
  assertEquals(merge(old, ["a", "box"], [["a", ""]], ["a", "box"]), old, "unless it is the user's");
});

test("[LC16] [LC17] whatever the forms hold, a merge gives each name to whom it belongs", () => {
  const entry = fc.tuple(fc.constantFrom("a", "b", "c"), fc.constantFrom("0", "1", "2"));
  const names = ["a", "b", "c"];
  fc.assert(
    fc.property(fc.array(entry), fc.subarray(names), fc.array(entry), (old, mine, fresh) => {
      const of = (list: Entries, name: string) => list.filter((one) => one[0] === name);
      const merged = merge(old, mine, fresh);
      const wanted = names.map((name) => mine.includes(name) ? of(old, name) : of(fresh, name));
      if (merged === undefined) assertEquals(names.map((name) => of(fresh, name)), wanted);
      for (const [i, name] of names.entries()) {
        // What only the old form has goes along.
        const left = !mine.includes(name) && of(fresh, name).length === 0;
        if (merged !== undefined) assertEquals(of(merged, name), left ? of(old, name) : wanted[i]);
      }
    }),
  );
});

test("[LC24] how long an event waits", () => {
  assertEquals([paceOf(null, null), paceOf("", null), paceOf("x", null), paceOf(null, "")], [
    {},
    { debounce: 300 },
    { debounce: 300 },
    { throttle: 300 },
  ]);
  assertEquals(paceOf("blur", "50"), { debounce: "blur" });
  assertEquals(waitFor({}, 100, 99), 0);
  assertEquals(waitFor({ debounce: 50 }, 100, 99), 50);
  assertEquals(waitFor({ debounce: "blur" }, 100, undefined), Infinity);
  assertEquals(waitFor({ throttle: 50 }, 100, undefined), 0);
  assertEquals([waitFor({ throttle: 50 }, 100, 80), waitFor({ throttle: 50 }, 200, 80)], [30, 0]);
});

const click = {
  link: "navigate",
  href: "https://a.test/x?y",
  here: "https://a.test/",
  target: "",
  download: false,
  modified: false,
  live: true,
};

test("[LC32] a link is the browser's unless it leads plainly to another page here", () => {
  assertEquals([followLink(click), followLink({ ...click, link: "patch" })], ["navigate", "patch"]);
  assertEquals(followLink({ ...click, target: "_self" }), "navigate");
  const others = [
    { link: null },
    { link: "other" },
    { modified: true },
    { download: true },
    { target: "_blank" },
    { live: false },
    { href: "https://b.test/" },
    { href: "http://a.test/x" },
    { href: "mailto:a@b.test" },
    { href: "https://a.test/#part" },
  ];
  const followed = others.map((other) => followLink({ ...click, ...other }));
  assertEquals(followed, others.map(() => "browser"));
});

test("[LC30] only entries of ours are followed", () => {
  const live = { page: 1, entry: 2, view: "v" };
  assertEquals(entryOf({ live }), live);
  for (const strange of [null, undefined, 1, {}, { live: 1 }, { live: { page: 1 } }]) {
    assertEquals(entryOf(strange), undefined);
  }
});

test("[LC32] only HTML of this origin is put in", () => {
  const answer = { ok: true, url: "https://a.test/x", type: "text/html; charset=utf-8" };
  const fits = (more: object) => isPage({ ...answer, ...more }, "https://a.test");
  assertEquals(fits({}), true);
  const strange = [{ ok: false }, { type: null }, { type: "text/htmlx" }, {
    url: "https://b.test/",
  }];
  assertEquals(strange.map(fits), [false, false, false, false]);
});

test("[LC21] passwords, one-time codes and card numbers are secrets", () => {
  assertEquals(isSecret("password", ""), true);
  const hints = [
    "one-time-code",
    "section-a current-password",
    "new-password",
    "cc-number",
    "cc-csc",
  ];
  for (const hint of hints) assertEquals(isSecret("text", hint), true, hint);
  assertEquals([isSecret("text", "email"), isSecret("text", "cc-name")], [false, false]);
});

test("[LC34] only what was left for this very page is taken over", () => {
  const views = { v: { token: "t", mounts: 1 } };
  const left = { url: "/a?b", ref: 3, reloads: 1, views, forms: {} };
  assertEquals(readHandover(JSON.stringify(left), "/a?b"), left);
  assertEquals(readHandover(JSON.stringify(left), "/other"), undefined);
  for (const text of [null, "", "{", "null", "1", "{}", '{"url":"/a?b"}']) {
    assertEquals(readHandover(text, "/a?b"), undefined);
  }
});
