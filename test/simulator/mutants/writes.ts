import type { Mutant } from "./mutant.ts";

const activation = "src/object/activation.ts";
const store = "src/object/store.ts";

/** Decisions 1 to 5: compare-and-set, the gate, one write under way, replays, records of their own. */
export const writeMutants: readonly Mutant[] = [
  {
    name: "a write has no condition",
    decision: 1,
    scenario: "journal",
    edits: [{
      file: store,
      find: `  else options.ifMatch = over;`,
      replace: `  else options.signal = undefined;`,
    }],
  },
  {
    name: "a new record is written over whatever is there",
    decision: 1,
    scenario: "journal",
    edits: [{
      file: store,
      find: `  if (over === null) options.ifNoneMatch = "*";`,
      replace: `  if (over === null) options.signal = undefined;`,
    }],
  },
  {
    name: "a reply leaves before what it tells is durable",
    decision: 2,
    scenario: "journal",
    edits: [{
      file: activation,
      find: `if (!this.#overtaken && this.#version === this.#durable) this.#answer(message);
    else this.#held.push(message);`,
      replace: `if (!this.#overtaken) this.#answer(message);
    else this.#held.push(message);`,
    }],
  },
  {
    name: "an error leaves before what it tells is durable",
    decision: 2,
    scenario: "journal",
    edits: [{
      file: activation,
      find: `if (message.early) return this.#fail(message, error);`,
      replace: `message.task.reject(error);`,
    }],
  },
  {
    name: "a read beside the others sees what is not durable",
    decision: 2,
    scenario: "journal",
    edits: [{
      file: activation,
      find: `  get durable(): Current | undefined {
    return this.#base;`,
      replace: `  get durable(): Current | undefined {
    return this.#now;`,
    }],
  },
  {
    name: "effects run before the state is durable, and with each replay",
    decision: 2,
    scenario: "journal",
    edits: [{
      file: activation,
      find: `    }
    this.#hold(message, decision);`,
      replace: `    }
    if (decision.effects !== undefined) this.#runEffects(decision.effects);
    this.#hold(message, { kind: "keep", reply: decision.reply });`,
    }],
  },
  {
    name: "flush() waits for nothing",
    decision: 2,
    scenario: "drafts",
    edits: [{
      file: activation,
      find: `await this.run(() => ({ kind: "keep", reply: undefined }), false);`,
      replace: `await Promise.resolve();`,
    }],
  },
  {
    name: "flush() forgets what was lost",
    decision: 2,
    scenario: "drafts",
    edits: [{
      file: activation,
      find: `if (told && !looked) this.#lost = { error };`,
      replace: ``,
    }],
  },
  {
    name: "two writes are under way at once",
    decision: 3,
    scenario: "journal",
    edits: [{
      file: activation,
      find: `    if (this.#writing || this.#overtaken || this.#version === this.#durable) return;`,
      replace: `    if (this.#overtaken || this.#version === this.#durable) return;`,
    }],
  },
  {
    name: "what changes during a write is taken for written",
    decision: 3,
    scenario: "journal",
    edits: [{
      file: activation,
      find: `    this.#durable = this.#sent;
    this.#conflicts = 0;`,
      replace: `    this.#sent = this.#durable = this.#version;
    this.#conflicts = 0;`,
    }],
  },
  {
    name: "after a conflict the answers of before are given",
    decision: 4,
    scenario: "journal",
    edits: [{
      file: activation,
      find: `      if (message.runs <= this.#limits.replays) this.#mailbox.unshift(message);`,
      replace: `      if (message.outcome !== undefined) this.#answer(message);
      else if (message.runs <= this.#limits.replays) this.#mailbox.unshift(message);`,
    }],
  },
  {
    name: "calls that were answered are run again with the others",
    decision: 4,
    scenario: "journal",
    edits: [{
      file: activation,
      find: `this.#held = count === free.length ? [] : free.splice(count);`,
      replace: `this.#held = count === free.length ? [] : [...free];`,
    }],
  },
  {
    name: "replays come in the opposite order",
    decision: 4,
    scenario: "journal",
    edits: [{
      file: activation,
      find: `for (const message of held.reverse()) {`,
      replace: `for (const message of held) {`,
    }],
  },
  {
    name: "a write whose answer was lost is tried again blindly",
    decision: 4,
    scenario: "journal",
    edits: [{
      file: store,
      find: `    if (unsure && loaded.rev !== write.rev) throw failure ?? unknownOutcome(undefined);
`,
      replace: ``,
    }],
  },
  {
    name: "a write that happened is not recognised by its name",
    decision: 4,
    scenario: "journal",
    edits: [{
      file: store,
      find: `    if (loaded.by === write.by) return { committed: true, loaded };
`,
      replace: ``,
    }],
  },
  {
    name: "a lost answer is told as if nothing had happened",
    decision: 4,
    scenario: "journal",
    edits: [{
      file: store,
      find: `  return outcome === "none" && certain ? "none" : "unknown";`,
      replace: `  return certain || true ? "none" : outcome;`,
    }],
  },
  {
    name: "a fresh call is answered from memory",
    decision: 1,
    scenario: "journal",
    edits: [{
      file: activation,
      find:
        `    return freshAfter > this.#refreshes && this.#version === this.#durable && !this.#writing;`,
      replace: `    return freshAfter < 0;`,
    }],
  },
  {
    name: "records carry no name of their write",
    decision: 5,
    scenario: "journal",
    edits: [{
      file: store,
      find: "const by = `${this.incarnation}.${++this.#writes}`;",
      replace: `const by = "";`,
    }],
  },
  {
    name: "records do not count their writes",
    decision: 5,
    scenario: "journal",
    edits: [{
      file: store,
      find: `rev: over.rev + 1, by`,
      replace: `rev: 1, by`,
    }],
  },
];
