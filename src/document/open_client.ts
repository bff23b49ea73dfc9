import { encodeBase64url } from "../core/base64url.ts";
import { HoldfastError, InvalidValueError, TooLargeError } from "../core/errors.ts";
import { cloneJson, copyJson, type JsonValue, utf8Length } from "../core/json.ts";
import type { Deadlines } from "../object/deadline.ts";
import type { Clock } from "../ports/clock.ts";
import type { Random } from "../ports/random.ts";
import type { DocumentClient, JoinOptions, Membership } from "./client.ts";
import type { OpenDocument } from "./document.ts";
import type { Documents } from "./documents.ts";
import { Outgoing } from "./frame.ts";
import { history, type HistorySource, versionAt } from "./history.ts";
import { InTurn } from "./in_turn.ts";
import type { Member } from "./members.ts";
import type { HistoryOptions, MutateAnswer, MutateOptions } from "./model.ts";
import type { Resident } from "./resident.ts";
import {
  type Doer,
  type RunEnv,
  runOperation,
  runRestore,
  runUndo,
  type Submission,
} from "./submission.ts";
import { type AnySpec, depthAndNodes } from "./version.ts";
import { checkKnown, type OptionNames, wrongArgument } from "../core/options.ts";

/** Largest thing a subscriber may say of where it is, in bytes of JSON. */
const maxPresenceBytes = 4096;

type Live = Resident & { readonly open: OpenDocument };
type Answer = MutateAnswer<JsonValue>;
/** Hears with what an operation is refused, and passes it on. */
type Refused = (error: unknown) => unknown;

/** What clients are made with. */
export interface ClientEnv {
  readonly documents: Documents;
  readonly clock: Clock;
  readonly random: Random;
  readonly deadlines: Deadlines;
  readonly callTimeoutMs: number;
}

const mutateNames: OptionNames<MutateOptions> = { actor: true, client: "an object" };

const joinNames: OptionNames<JoinOptions> = {
  actor: true,
  client: true,
  readOnly: "a boolean",
  since: "an object",
  deliver: "a function",
};

const historyNames: OptionNames<HistoryOptions> = {
  sinceSeq: "a number",
  since: "a number",
  until: "a number",
  part: "a string",
  where: "a function",
  limit: "a number",
};

/** Implements {@linkcode DocumentClient}. */
export class Client implements DocumentClient<JsonValue, JsonValue> {
  readonly id: string;
  readonly #env: ClientEnv;
  readonly #spec: AnySpec;

  constructor(env: ClientEnv, spec: AnySpec, id: string) {
    // Throws where it is made, not where it is used.
    env.documents.key(spec, id);
    this.#env = env;
    this.#spec = spec;
    this.id = id;
  }

  async state(): Promise<JsonValue> {
    const { open } = await this.#live();
    await open.refresh();
    return cloneJson(open.durable.state as JsonValue);
  }

  async mutate(op: JsonValue, options: MutateOptions = {}): Promise<Answer> {
    checkKnown(options, mutateNames, "change a document");
    const copy = this.#operation(op);
    const live = await this.#live();
    return await this.#submit(live, runOperation(this.#runEnv(live), copy, doer(options)));
  }

  undo(actor: string): Promise<Answer> {
    return this.#back({ actor }, "undoes");
  }

  redo(actor: string): Promise<Answer> {
    return this.#back({ actor }, "redoes");
  }

  async join(options: JoinOptions): Promise<Membership<JsonValue, JsonValue>> {
    checkKnown(options, joinNames, "join a document");
    const { actor = null, since, deliver, readOnly = false } = options;
    if (typeof deliver !== "function") {
      throw wrongArgument('Cannot join a document: "deliver" is not a function');
    }
    const client = options.client ?? encodeBase64url(this.#env.random.bytes(12));
    if (typeof client !== "string" || client === "" || client.length > 128) {
      throw wrongArgument("Cannot join a document: client is not 1 to 128 characters");
    }
    const turn = this.#env.documents.nextJoin();
    const live = await this.#live();
    await live.open.refresh();
    const { authorize } = this.#spec;
    const at = this.#env.clock.now();
    const access = { actor, what: "join" as const, id: this.id, client, at };
    if (authorize !== undefined && await authorize(access, live.open.durable.state) !== true) {
      throw new HoldfastError("ERR_REFUSED", `Cannot join document "${this.#spec.name}": refused`);
    }
    // Whoever cannot be told what was missed is told everything.
    await live.open.reach(since).catch(() => {});
    // It may have left memory while rights were asked for.
    const now = await this.#live();
    const member: Member = { id: client, actor, readOnly, deliver, turn, lagsAt: undefined };
    return this.#subscribe(now, member, since);
  }

  async history(options: HistoryOptions<JsonValue> = {}): ReturnType<typeof history> {
    checkKnown(options, historyNames, "read the history of a document");
    return await history(this.#source(await this.#live()), options);
  }

  async stateAt(seq: number): Promise<JsonValue> {
    const version = await versionAt(this.#source(await this.#live()), seq);
    return cloneJson(version.state as JsonValue);
  }

  async restore(seq: number, options: MutateOptions = {}): Promise<Answer> {
    checkKnown(options, mutateNames, "restore a document");
    const live = await this.#live();
    const state = cloneJson((await versionAt(this.#source(live), seq)).state as JsonValue);
    return await this.#submit(live, runRestore(this.#runEnv(live), state, doer(options)));
  }

  async info(): ReturnType<DocumentClient<JsonValue, JsonValue>["info"]> {
    const { open, members } = await this.#live();
    return {
      id: this.id,
      seq: open.durable.seq,
      epoch: open.epoch,
      subscribers: members.size,
      snapshotSeq: open.snapshots.seq,
      bytes: open.snapshots.bytes,
      unsavedBytes: open.unsavedBytes,
    };
  }

  stop(): Promise<void> {
    return this.#env.documents.stop(this.#spec, this.id);
  }

  delete(): Promise<boolean> {
    return this.#env.documents.delete(this.#spec, this.id);
  }

  #live(): Promise<Live> {
    return this.#env.documents.open(this.#spec, this.id);
  }

  #source({ open, key }: Live): HistorySource {
    return { spec: this.#spec, key, open, log: this.#env.documents.log };
  }

  #runEnv({ open }: Live): RunEnv {
    const { clock } = this.#env;
    return {
      spec: this.#spec,
      id: this.id,
      now: () => clock.now(),
      find: (client, latest) => open.find(client, latest),
    };
  }

  #submit({ open }: Live, run: Submission["run"], refused?: Refused): Promise<Answer> {
    const { deadlines, clock, callTimeoutMs } = this.#env;
    const submit = (resolve: Submission["resolve"], failed: Submission["reject"]) => {
      const reject = refused === undefined ? failed : (error: unknown) => failed(refused(error));
      open.submit({ run, resolve, reject, runs: 0 });
    };
    const work = { name: this.#spec.name, run: () => new Promise<Answer>(submit) };
    return new Promise((resolve, reject) =>
      deadlines.run(work, clock.monotonic() + callTimeoutMs, resolve, reject)
    );
  }

  async #back(who: Doer, kind: "undoes" | "redoes"): Promise<Answer> {
    const live = await this.#live();
    return await this.#submit(live, this.#takingBack(live, who, kind));
  }

  #takingBack(live: Live, who: Doer, kind: "undoes" | "redoes"): Submission["run"] {
    const steps = async () => {
      const log = await live.open.undoLog();
      const actor = who.actor ?? "";
      return kind === "undoes" ? log.undoable(actor) : log.redoable(actor);
    };
    return runUndo(this.#runEnv(live), who, kind, steps);
  }

  /** A copy of an operation that is JSON and not too large. */
  #operation(op: JsonValue): JsonValue {
    const { maxOpBytes, name } = this.#spec;
    // Beyond the limit, so that what is too large is told from what is no JSON.
    const limits = { maxBytes: maxOpBytes * 4, ...depthAndNodes };
    const copied = copyJson(op, { limits });
    const what = `an operation of document "${name}"`;
    if (!copied.ok) throw new InvalidValueError(what, copied.problems);
    const bytes = utf8Length(JSON.stringify(copied.value));
    if (bytes <= maxOpBytes) return copied.value;
    throw new TooLargeError(
      `Cannot accept ${what} of ${bytes} bytes: at most ${maxOpBytes} are allowed`,
    );
  }

  #subscribe(
    live: Live,
    member: Member,
    since: JoinOptions["since"],
  ): Membership<JsonValue, JsonValue> {
    const { open, members, presence, tell } = live;
    const { documents } = this.#env;
    const inTurn = new InTurn();
    members.add(member);
    documents.membersChanged(live);
    tell({ name: "holdfast.document.join", subscribers: members.size });
    return {
      client: member.id,
      epoch: open.epoch,
      catchUp: open.catchUp(since),
      get presence() {
        return presence.all();
      },
      acked: open.durable.clients.latestOf(member.id)?.clientSeq ?? 0,
      get state() {
        return open.durable.state as JsonValue;
      },
      get seq() {
        return open.durable.seq;
      },
      mutate: (op, clientSeq) => this.#mutateAs(live, member, inTurn, op, clientSeq),
      undo: (clientSeq) => this.#backAs(live, member, inTurn, "undoes", clientSeq),
      redo: (clientSeq) => this.#backAs(live, member, inTurn, "redoes", clientSeq),
      here: (data) => {
        if (members.has(member)) presence.set(member.id, member.actor, presenceData(data));
      },
      heard: () => presence.heard(member.id),
      resume: () => resume(live, member),
      leave: () => {
        if (!members.remove(member)) return;
        presence.remove(member.id);
        documents.membersChanged(live);
        tell({ name: "holdfast.document.leave", subscribers: members.size });
      },
    };
  }

  async #mutateAs(
    live: Live,
    member: Member,
    inTurn: InTurn,
    op: JsonValue,
    clientSeq: number | undefined,
  ): Promise<Answer> {
    if (member.readOnly) return readOnly;
    const copy = this.#operation(op);
    const run = runOperation(this.#runEnv(live), copy, doerOf(member, clientSeq));
    return await this.#submitInTurn(live, inTurn, run, clientSeq);
  }

  /** Takes its place at once, as every operation of a subscription: what comes next may be here already. */
  async #backAs(
    live: Live,
    member: Member,
    inTurn: InTurn,
    kind: "undoes" | "redoes",
    clientSeq: number | undefined,
  ): Promise<Answer> {
    if (member.readOnly) return readOnly;
    const run = this.#takingBack(live, doerOf(member, clientSeq), kind);
    return await this.#submitInTurn(live, inTurn, run, clientSeq);
  }

  #submitInTurn(
    live: Live,
    inTurn: InTurn,
    run: Submission["run"],
    seq: number | undefined,
  ): Promise<Answer> {
    if (seq === undefined) return this.#submit(live, run);
    return this.#submit(live, inTurn.guard(seq, run), (error) => inTurn.refused(seq, error));
  }
}

const readOnly: Answer = { status: "rejected", reason: "the connection is read-only" };

function doer({ actor = null, client }: MutateOptions): Doer {
  if (client === undefined) return { actor };
  const { id, seq } = client;
  if (typeof id !== "string" || id === "" || id.length > 128 || !Number.isSafeInteger(seq)) {
    throw wrongArgument(
      "Cannot do an operation: its client is not an id of 1 to 128 characters and a whole number",
    );
  }
  return { actor, client: { id, seq } };
}

function doerOf({ id, actor }: Member, clientSeq: number | undefined): Doer {
  return doer(clientSeq === undefined ? { actor } : { actor, client: { id, seq: clientSeq } });
}

/** Brings a subscriber that was too slow to the present. */
function resume({ open, members }: Live, member: Member): void {
  if (member.lagsAt === undefined || !members.has(member)) return;
  const { epoch } = open;
  const catchUp = open.catchUp({ epoch, seq: member.lagsAt });
  member.lagsAt = undefined;
  const outgoing = new Outgoing({ t: "catch_up", epoch, catchUp });
  if (member.deliver(outgoing.frame, outgoing) === false) member.lagsAt = open.durable.seq;
}

function presenceData(data: JsonValue): JsonValue {
  const limits = { maxBytes: maxPresenceBytes, maxDepth: 8, maxNodes: 500 };
  const copied = copyJson(data, { limits });
  if (copied.ok) return copied.value;
  throw new InvalidValueError("presence", copied.problems);
}
