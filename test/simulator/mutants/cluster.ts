import type { Mutant } from "./mutant.ts";

const node = "src/cluster/node.ts";

/** What keeps calls single and answers fresh where several nodes share objects. */
export const clusterMutants: readonly Mutant[] = [
  {
    name: "a copy of a forwarded call is run again",
    decision: 4,
    scenario: "cluster",
    edits: [{
      file: node,
      find:
        `    if (!this.#isFirst(message)) return this.#answering.get(id) ?? Promise.resolve(known);`,
      replace: `    void known;`,
    }],
  },
  {
    name: "a forwarded call of which nothing was heard is run again elsewhere",
    decision: 4,
    scenario: "cluster",
    edits: [{
      file: node,
      find: `    if (reply.ok ? answer === undefined : reply.why === "unknown") {`,
      replace: `    if (reply.ok && answer === undefined) {`,
    }],
  },
  {
    name: "an owner writes on after it has lost its object",
    decision: 1,
    scenario: "cluster",
    edits: [{
      file: "src/object/store.ts",
      find: `  else options.ifMatch = over;`,
      replace: `  else options.signal = undefined;`,
    }],
  },
  {
    name: "an owner answers from memory what was to be read from the store",
    decision: 1,
    scenario: "cluster",
    edits: [{
      file: "src/cluster/errand.ts",
      find: `    const options = { fresh: errand.fresh || fresh, existing: errand.existing };`,
      replace: `    const options = { fresh: false, existing: errand.existing };`,
    }],
  },
];
