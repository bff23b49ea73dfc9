/**
 * Adds ids to one journal, eight at a time, and prints each one after it was acknowledged, until it is
 * killed: `writer.ts <where as JSON> <id of the journal> <name> <flaw> <object or document>`.
 */
import { writeSync } from "node:fs";
import process from "node:process";
import type { Flaw } from "./journal.ts";
import { Pad } from "./pad.ts";
import { openRoot } from "./stores.ts";

const [where = "", id = "", name = "", given = "none", kind = "object"] = process.argv.slice(2);
// What the parent has passed on.
const flaw = given as Flaw;
const root = openRoot(JSON.parse(where), flaw);
const add = (entry: string): Promise<unknown> =>
  kind === "document"
    ? root.document(Pad, id).mutate({ add: entry })
    : root.call("journal", id, "add", [entry]);
let count = 0;
await Promise.all(Array.from({ length: 8 }, async () => {
  for (;;) {
    const entry = `${name}.${count++}`;
    const done = await add(entry).then(() => true, () => false);
    if (done && flaw === "twice" && count % 10 === 0) await add(entry);
    // At once and in one piece, so that what the parent has read is what was acknowledged.
    if (done) writeSync(1, `${entry}\n`);
  }
}));
