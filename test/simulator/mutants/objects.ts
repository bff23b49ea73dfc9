import type { Mutant } from "./mutant.ts";

/** Decisions 6 to 10, alarms, deletion, and who is in memory. */
export const objectMutants: readonly Mutant[] = [
  {
    name: "an old version of an object writes over a new one",
    decision: 6,
    scenario: "deploy",
    edits: [{
      file: "src/core/vsn.ts",
      find: `  if (from > vsn) return { status: "newer", found: from };`,
      replace: `  if (from > vsn) return { status: "kept", data: stored.data };`,
    }],
  },
  {
    name: "an old version of a stash writes over a new one",
    decision: 6,
    scenario: "sessions",
    edits: [{
      file: "src/core/vsn.ts",
      find: `return stored < writer ? "replace" : "refused";`,
      replace: `return "replace";`,
    }],
  },
  {
    name: "a page sees the draft of another",
    decision: 7,
    scenario: "sessions",
    edits: [{
      file: "src/stash/slices.ts",
      find:
        `  return page !== undefined && Object.hasOwn(slice.drafts, page) ? slice.drafts[page] : undefined;`,
      replace: `  return slice.drafts[page ?? ""] ?? Object.values(slice.drafts)[0];`,
    }],
  },
  {
    name: "a stash stores all of its keys, not only what has changed",
    decision: 4,
    scenario: "sessions",
    edits: [{
      file: "src/core/slice.ts",
      find:
        `    !(Object.hasOwn(from, key) && equalJson(from[key] as JsonValue, to[key] as JsonValue))`,
      replace: `    Object.keys(to).some((other) =>
      !equalJson((from[other] ?? null) as JsonValue, to[other] as JsonValue)
    ) && key in to`,
    }],
  },
  {
    name: "values are stored as JSON makes them",
    decision: 8,
    scenario: "sessions",
    edits: [{
      file: "src/stash/handle.ts",
      find: `    if (problems.length > 0) this.#invalidValues(skipped, problems);
    return fields;`,
      replace: `    for (const key of skipped) fields[key] = null;
    return fields;`,
    }],
  },
  {
    name: "a session is stored under its id",
    decision: 9,
    scenario: "sessions",
    edits: [{
      file: "src/stash/identities.ts",
      find: "await sessionKeyHash(secret, namespace, sid, hmac)",
      replace: "sid",
    }],
  },
  {
    name: "an alarm that keeps failing is dropped instead of set aside",
    decision: 10,
    scenario: "journal",
    edits: [{
      file: "src/object/alarms.ts",
      find: `  return { ...rest, parked: { ...rest.parked, [name]: why } };`,
      replace: `  return why.attempts > 0 ? rest : view;`,
    }],
  },
  {
    name: "an alarm that keeps failing is tried for ever",
    decision: 10,
    scenario: "journal",
    edits: [{
      file: "src/object/alarms.ts",
      find: `  if (delayMs !== undefined) {
    const at = Math.ceil(now + delayMs);`,
      replace: `  if (delayMs !== undefined || attempt > 0) {
    const at = Math.ceil(now + (delayMs ?? 1000));`,
    }],
  },
  {
    name: "an alarm has no entry in the index",
    decision: 1,
    scenario: "journal",
    edits: [{
      file: "src/object/alarm_index.ts",
      find: `      : missing(to, from).map((alarm) => this.#key(key, alarm));`,
      replace: `      : [];`,
    }],
  },
  {
    name: "the entry of an alarm is written after its record",
    decision: 1,
    scenario: "journal",
    edits: [{
      file: "src/object/alarm_index.ts",
      find: `      : missing(to, from).map((alarm) => this.#key(key, alarm));`,
      replace: `      : [];`,
    }, {
      file: "src/object/alarm_index.ts",
      find: `    const alarms = alarmsIn(to);
    if (alarms.length === 0) return;`,
      replace:
        `    void this.#note(missing(to, from).map((alarm) => this.#key(key, alarm))).catch(() => {});
    const alarms = alarmsIn(to);
    if (alarms.length === 0) return;`,
    }],
  },
  {
    name: "the entry of an alarm is removed before the record without it is durable",
    decision: 1,
    scenario: "journal",
    edits: [{
      file: "src/object/alarm_index.ts",
      find: `    return entries.length === 0 ? undefined : this.#note(entries);`,
      replace: `    for (const alarm of missing(from, to)) this.remove(this.#key(key, alarm));
    return entries.length === 0 ? undefined : this.#note(entries);`,
    }],
  },
  {
    name: "an entry that has no record yet is removed",
    decision: 1,
    scenario: "journal",
    edits: [{
      file: "src/object/visits.ts",
      find: `return set.has(nonce) || madeAt >= before ? "later" : "orphan";`,
      replace: `return set.has(nonce) || madeAt >= before + deletedMs ? "later" : "orphan";`,
    }],
  },
  {
    name: "an entry is removed whose record may be on its way over the one that was looked at",
    decision: 1,
    scenario: "journal",
    edits: [{
      file: "src/object/visits.ts",
      find: `if (!set.has(nonce) && seenRev < rev) return "orphan";`,
      replace: `if (!set.has(nonce) && seenRev <= rev) return "orphan";`,
    }],
  },
  {
    name: "an alarm is cleared by a write of its own",
    decision: 2,
    scenario: "journal",
    edits: [{
      file: "src/object/alarms.ts",
      find: `await perform(env, resident, cleared(ready.view, name), work);`,
      replace: `await perform(env, resident, ready.view, work);`,
    }, {
      file: "src/object/visits.ts",
      find: `      done.add(outcome.alarm.nonce);
`,
      replace: `      done.add(outcome.alarm.nonce);
      const { name } = outcome;
      if (outcome.kind === "fired") {
        await engine.run<undefined>(key, ({ state }) => {
          const { [name]: _, ...alarms } = (state?.["alarms"] ?? {}) as Record<string, never>;
          if (state === undefined) return { kind: "keep", reply: undefined };
          return { kind: "write", state: { ...state, alarms }, reply: undefined };
        });
      }
`,
    }],
  },
  {
    name: "the mark of a deleted object is removed at once",
    decision: 1,
    scenario: "journal",
    edits: [{
      file: "src/object/objects.ts",
      find: `    this.#residents.forget(cls, key);
    this.#engine.evict(key);
    if (deleted) {`,
      replace: `    this.#residents.forget(cls, key);
    this.#engine.evict(key);
    if (deleted) await this.#engine.purge(key);
    if (deleted) {`,
    }],
  },
  {
    name: "a deleted object is deleted without a mark",
    decision: 1,
    scenario: "journal",
    edits: [{
      file: "src/object/objects.ts",
      find: `return there ? { kind: "end", reply: true } : { kind: "keep", reply: false };`,
      replace: `return { kind: "keep", reply: there };`,
    }, {
      file: "src/object/objects.ts",
      find: `    this.#residents.forget(cls, key);
    this.#engine.evict(key);
    if (deleted) {`,
      replace: `    this.#residents.forget(cls, key);
    this.#engine.evict(key);
    if (deleted) await this.#engine.erase(key);
    if (deleted) {`,
    }],
  },
  {
    name: "a late call writes over the mark of a deleted object",
    decision: 1,
    scenario: "journal",
    edits: [{
      file: "src/object/activation.ts",
      find: `    if (ended === undefined) return problem;`,
      replace: `    if (ended === undefined || ended > 0) return problem;`,
    }, {
      file: "src/object/turns.ts",
      find: `  if (ended !== undefined) {
    resident.deleted = true;`,
      replace: `  if (ended === 0) {
    resident.deleted = true;`,
    }],
  },
  {
    name: "a handler works on the state itself, so that one that throws leaves half",
    decision: 2,
    scenario: "journal",
    edits: [{
      file: "src/object/perform.ts",
      find: `const draft = work.readOnly ? shown(view.user) : createDraft(view.user);`,
      replace: `const draft = work.readOnly
    ? shown(view.user)
    : createDraft.length < 0
    ? createDraft(view.user)
    : { draft: view.user, finish: () => ({ ...view.user }), discard: () => {} };`,
    }],
  },
  {
    name: "an object leaves memory while it is being written",
    decision: 3,
    scenario: "drafts",
    edits: [{
      file: "src/object/activation.ts",
      find: `    return this.#reading === 0 && this.#settled;`,
      replace: `    return this.#reading === 0 && !this.#running && this.#mailbox.size === 0;`,
    }],
  },
];
