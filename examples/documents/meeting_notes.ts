import assert from "node:assert/strict";
import { createHoldfast } from "holdfast";
import { memoryStorage } from "holdfast/memory";
import { changeYjs, openYjs, yjsDocument } from "holdfast/yjs";

const Notes = yjsDocument({ name: "notes" });

await using holdfast = createHoldfast({
  storage: memoryStorage(),
  secrets: [crypto.getRandomValues(new Uint8Array(32))],
});
const notes = holdfast.document(Notes, "meeting-7");

// The server reads and writes, too.
await changeYjs(notes, (doc) => doc.getText("body").insert(0, "Agenda\n"), { actor: "robot" });
assert.equal(openYjs(await notes.state()).getText("body").toString(), "Agenda\n");
