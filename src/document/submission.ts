import type { JsonValue } from "../core/json.ts";
import { checkSchema } from "../core/schema.ts";
import type { MutateAnswer } from "./model.ts";
import type { ClientMark, Entry } from "./stored.ts";
import { type AnySpec, type Outcome, propose, type Version } from "./version.ts";

/** Something to be done to a document, in its turn. Runs again if another node was first. */
export interface Submission {
  readonly run: (version: Version) => Outcome | Promise<Outcome>;
  readonly resolve: (answer: MutateAnswer<JsonValue>) => void;
  readonly reject: (error: unknown) => void;
  /** How often it has run. */
  runs: number;
}

/** What operations are run with. */
export interface RunEnv {
  readonly spec: AnySpec;
  readonly id: string;
  now(): number;
  /**
   * The entry of an operation that was accepted before, if it is still known; a promise if the log has
   * to be read.
   *
   * @param latest The client's latest operation that was accepted.
   */
  find(
    client: NonNullable<Entry["client"]>,
    latest: ClientMark,
  ): Entry | Promise<Entry | undefined>;
}

/** Who does something. */
export interface Doer {
  readonly actor: string | null;
  readonly client?: Entry["client"];
}

/** Runs an operation: known ones are answered as before, the others checked and applied. */
export function runOperation(env: RunEnv, op: JsonValue, doer: Doer): Submission["run"] {
  return (version) => {
    const known = answered(env, version, doer.client);
    if (known !== undefined) return known;
    return whenAllowed(
      env,
      version,
      doer,
      op,
      () => propose(env.spec, version, { op, at: env.now(), ...doer }),
    );
  };
}

/** What an operation that was here before is answered (SPEC DO6). */
function answered(
  { find }: RunEnv,
  { clients }: Version,
  client: Entry["client"],
): Outcome | Promise<Outcome> | undefined {
  if (client === undefined) return undefined;
  const latest = clients.latest(client);
  if (latest === undefined) return undefined;
  const found = find(client, latest);
  const answer = (entry: Entry | undefined) => ({ answer: formerAnswer(entry, client, latest) });
  return found instanceof Promise ? found.then(answer) : answer(found);
}

function formerAnswer(
  entry: Entry | undefined,
  client: NonNullable<Entry["client"]>,
  latest: ClientMark,
): MutateAnswer<JsonValue> {
  if (entry?.rectified !== undefined && entry.op !== undefined) {
    return { status: "rectified", seq: entry.seq, op: entry.op };
  }
  if (entry !== undefined) return { status: "commit", seq: entry.seq };
  return latest.clientSeq === client.seq
    ? { status: "commit", seq: latest.seq }
    : { status: "discard", reason: "a later operation of this client was accepted before" };
}

/** Goes on if schema and rights allow it; waits only if they do. */
function whenAllowed(
  env: RunEnv,
  version: Version,
  { actor, client }: Doer,
  op: JsonValue,
  go: () => Outcome,
): Outcome | Promise<Outcome> {
  const { schema, authorize } = env.spec;
  if (schema === undefined && authorize === undefined) return go();
  const checked = schema === undefined ? { ok: true as const } : checkSchema(schema, op);
  const judge = (check: Awaited<typeof checked>): Outcome | Promise<Outcome> => {
    if (!check.ok) return rejected(`invalid operation: ${describe(check.problems)}`);
    if (authorize === undefined) return go();
    const from = client === undefined ? {} : { client: client.id };
    const access = { actor, what: "mutate" as const, op, id: env.id, ...from, at: env.now() };
    const allowed = authorize(access, version.state);
    return allowed instanceof Promise
      ? allowed.then((yes) => yes === true ? go() : rejected("not allowed"))
      : allowed === true
      ? go()
      : rejected("not allowed");
  };
  return checked instanceof Promise ? checked.then(judge) : judge(checked);
}

function describe(problems: readonly { readonly path: string; readonly reason: string }[]): string {
  const [first] = problems;
  return first === undefined
    ? ""
    : `${first.path === "" ? "it" : `"${first.path}"`} ${first.reason}`;
}

function rejected(reason: string): Outcome {
  return { answer: { status: "rejected", reason } };
}

/** Takes back the actor's last step that still can be (SPEC DO14). */
export function runUndo(
  env: RunEnv,
  doer: Doer,
  kind: "undoes" | "redoes",
  steps: () => readonly Entry[] | Promise<readonly Entry[]>,
): Submission["run"] {
  return async (version) => {
    const known = answered(env, version, doer.client);
    if (known !== undefined) return known;
    for (const { inverse, seq } of await steps()) {
      if (inverse === undefined) continue;
      const proposal = { op: inverse, at: env.now(), ...doer, [kind]: seq };
      const go = () => propose(env.spec, version, proposal);
      const outcome = await whenAllowed(env, version, doer, inverse, go);
      const gone = "answer" in outcome && outcome.answer.status === "discard";
      if (!gone) return outcome;
    }
    return { answer: { status: "discard", reason: "there is nothing left to take back" } };
  };
}

/** Puts a former state in the place of the present one. */
export function runRestore(env: RunEnv, state: JsonValue, doer: Doer): Submission["run"] {
  return async (version) => {
    const known = answered(env, version, doer.client);
    if (known !== undefined) return known;
    const { authorize } = env.spec;
    const access = { actor: doer.actor, what: "restore" as const, id: env.id, at: env.now() };
    if (authorize !== undefined && await authorize(access, version.state) !== true) {
      return rejected("not allowed");
    }
    const seq = version.seq + 1;
    const { actor, client } = doer;
    const own = client === undefined ? {} : { client };
    const entry: Entry = { seq, at: env.now(), actor, restore: state, ...own };
    return { entry, next: { state, seq, clients: version.clients.after([entry]) } };
  };
}
