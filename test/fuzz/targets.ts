// Longer than 400 lines because the parsers are a list, each with its valid inputs beside its check.
import { Doc } from "yjs";
import { command, type Given, UsageError } from "../../adapters/cli/verb.ts";
import { placeOf } from "../../adapters/cli/storages.ts";
import { formatRecord, parseRecord } from "../../adapters/file/record.ts";
import { frames } from "../../adapters/live/frames.ts";
import { pageTokens } from "../../adapters/live/tokens.ts";
import {
  copyText,
  markText,
  readNew,
  readOld,
  stateText,
} from "../../adapters/migrating/envelope.ts";
import { createVirtualClock, seededRandom } from "../../adapters/testing/mod.ts";
import { readCookie } from "../../adapters/web/cookies.ts";
import { fastestHmac } from "../../adapters/web/hmac.ts";
import { openYjs, yjsDocument, type YjsState } from "../../adapters/yjs/mod.ts";
import { decodeBase64url, encodeBase64url } from "../../src/core/base64url.ts";
import { place } from "../../src/cluster/members.ts";
import {
  packError,
  readAnswer,
  readBeat,
  readMessage,
  readRequest,
  unpackArgs,
  unpackError,
} from "../../src/cluster/wire.ts";
import { HoldfastError } from "../../src/core/errors.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../src/core/json.ts";
import { decodeId, encodeId } from "../../src/core/key.ts";
import { signReservation, verifyReservation } from "../../src/core/reservation.ts";
import { deriveKeys } from "../../src/core/secret.ts";
import { isSid, mintSid, signToken, verifyToken } from "../../src/core/token.ts";
import {
  readSegment,
  readSnapshot,
  storeSegment,
  storeSnapshot,
} from "../../src/document/stored.ts";
import { readClientFrame } from "../../src/document/wire.ts";
import { decodeRecord, encodeRecord } from "../../src/object/record.ts";
import { readObject, storeObject } from "../../src/object/stored.ts";
import { readSessionNotice, SessionNotices } from "../../src/stash/notices.ts";
import { readSession, readSlice, storeSession } from "../../src/stash/state.ts";
import { Pgoutput } from "../../src/sync/pgoutput.ts";
import {
  ChangeUnpacker,
  readBatchAnswer,
  readLeaderAnswer,
  readNotice,
  readRequest as readSharedRequest,
  unpackPosition,
} from "../../src/sync/shared_wire.ts";
import { Table } from "../../src/sync/table.ts";
import { Xids } from "../../src/sync/xids.ts";
import { things } from "../sync/fixtures/fake.ts";
import { bytes, int16, int32, int64, text, tuple } from "../sync/fixtures/messages.ts";
import type { Target } from "./run.ts";

const encoder = new TextEncoder();
const decoder: TextDecoder = new TextDecoder("utf-8", { ignoreBOM: true });
const textOf = (input: Uint8Array): string => decoder.decode(input);
const json = (...values: readonly unknown[]): readonly Uint8Array[] =>
  values.map((value) => encoder.encode(JSON.stringify(value)));
const texts = (...values: readonly string[]): readonly Uint8Array[] =>
  values.map((value) => encoder.encode(value));

function must(condition: boolean, what: string): void {
  if (!condition) throw new Error(`the parser broke a promise: ${what}`);
}

/** Runs a reader that may refuse with an error of the library's own, and with no other. */
function refusing<T>(read: () => T, then: (value: T) => string): string {
  let value: T;
  try {
    value = read();
  } catch (error) {
    if (error instanceof HoldfastError && error.code === "ERR_CORRUPT_RECORD") return "refused";
    if (error instanceof HoldfastError && error.code === "ERR_STORAGE_UNAVAILABLE") return "newer";
    throw error;
  }
  return then(value);
}

const beat = { address: "a", incarnation: 2, state: "up", serves: { counter: 1 } };
const nodeMessages = json(
  {
    kind: "call",
    from: "a",
    number: 1,
    to: 2,
    className: "counter",
    objectId: "1",
    operation: "call",
    handler: "add",
    args: [1, null, { a: "ä" }],
    absent: [1],
    fresh: false,
    existing: false,
    chain: ["x"],
  },
  { kind: "release", from: beat, className: "counter", objectId: "1" },
  { kind: "reply", value: [1] },
  { kind: "error", error: packError(new HoldfastError("ERR_CLOSED", "no")) },
  { kind: "error", error: packError(new RangeError("no")) },
  { kind: "refused" },
  { kind: "beat", beat },
);

function checkNodeMessage(input: Uint8Array): string {
  const text = textOf(input);
  const told = readBeat(readMessage(text)?.["beat"]);
  if (told !== undefined) place([told], "counter", "key");
  const request = readRequest(text);
  if (request?.kind === "call") {
    must(unpackArgs(request).length === request.args.length, "arguments keep their places");
  }
  const answer = readAnswer(text);
  if (answer?.kind === "error") unpackError(answer.error);
  return request?.kind ?? answer?.kind ?? (told === undefined ? "refused" : "beat");
}

const rows = { kind: "rows", at: ["7", "8", 9, 1], overflowed: [0], more: false };
const sharedMessages = json(
  { kind: "sync.seek", log: "l", from: "a" },
  {
    kind: "sync.attach",
    log: "l",
    from: "a",
    session: "a.1",
    tables: [["public", "things", "org"]],
  },
  { kind: "sync.cover", session: "a.1.1", number: 1, add: [[0, "1"]], drop: [[0, "2"]] },
  { kind: "sync.leave", session: "a.1.1" },
  {
    kind: "sync.rows",
    session: "a.1.1",
    first: 0,
    lagMs: 1.5,
    items: [
      { kind: "began", epoch: "e", suspects: { each: [1, 2], upTo: 3 } },
      {
        ...rows,
        changes: [
          ["columns", 0, 5, [["org", 23, true], ["id", 23, true], ["title", 25, false]]],
          ["insert", 0, ["1", "2", null]],
          ["update", 0, ["1", "2", null], ["2", "2", 0]],
          ["update", 0, 0, ["2", "2", "ä"]],
          ["delete", 0, ["2", "2", null]],
          ["truncate", 0],
        ],
      },
      { kind: "ended" },
      { kind: "resumed" },
    ],
  },
  { ok: true, session: "a.1.1", epoch: "e", suspects: { each: [] } },
  { ok: false, why: "other tables" },
  { ok: true, next: 3, busy: false },
);

function checkSharedMessage(input: Uint8Array): string {
  const text = textOf(input);
  const leader = readLeaderAnswer(text);
  if (leader?.ok === true) new Xids().addAll(leader.suspects);
  const answer = leader ?? readBatchAnswer(text);
  const request = readSharedRequest(text);
  if (request?.kind !== "sync.rows") {
    return request?.kind ?? readNotice(text)?.kind ?? (answer === undefined ? "refused" : "answer");
  }
  const unpack = new ChangeUnpacker([new Table(things)]);
  for (const item of request.items) {
    if (item.kind === "began") new Xids().addAll(item.suspects);
    if (item.kind !== "rows") continue;
    try {
      unpackPosition(item.at, "e");
      for (const change of item.changes) unpack.read(change);
      for (const place of item.overflowed) unpack.table(place);
    } catch (error) {
      must(error instanceof RangeError, String(error));
      return "refused";
    }
  }
  return "rows";
}

function checkSessionNotice(input: Uint8Array): string {
  let body: JsonValue;
  try {
    body = JSON.parse(textOf(input));
  } catch {
    return "no JSON";
  }
  const notice = readSessionNotice(body);
  if (notice === undefined) return "refused";
  must(notice.keys.every((key) => typeof key === "string"), "keys are texts");
  const told: unknown[] = [];
  const notices = new SessionNotices();
  notices.watch("app/session/a", {
    ended: (why) => told.push(["destroyed", "rotated", "expired"].includes(why)),
    changed: (stash) => told.push(typeof stash === "string"),
  });
  notices.hear(notice);
  must(told.every((fine) => fine === true), "what is told is an end of ours or a name");
  must(readSessionNotice(JSON.parse(JSON.stringify(notice))) !== undefined, "a notice survives");
  return "why" in notice ? "ended" : "changed";
}

/** Updates of a text, a map and a list, and the state that the first of them makes. */
const yjsUpdates: Uint8Array[] = [];
const yjsDoc = new Doc();
yjsDoc.clientID = 7;
yjsDoc.on("update", (update: Uint8Array) => void yjsUpdates.push(update));
yjsDoc.getText("body").insert(0, "kelp and rope");
yjsDoc.getText("body").delete(3, 4);
yjsDoc.getText("body").format(0, 2, { bold: true });
yjsDoc.getMap("facts").set("fresh", { is: [true, 1.5, "ä", null] });
yjsDoc.getArray("items").push(["net", new Uint8Array([1, 2])]);
const notes = yjsDocument({ name: "notes" }).spec;

function checkYjs(input: Uint8Array): string {
  const at = { actor: null, at: 0, seq: 1 };
  let state: YjsState = notes.state();
  for (const update of yjsUpdates.slice(0, 2)) {
    const known = notes.apply(state, { update: encodeBase64url(update) }, at);
    if ("state" in known) state = known.state;
  }
  const outcome = notes.apply(state, { update: encodeBase64url(input) }, at);
  if (!("state" in outcome)) return "reject" in outcome ? "refused" : "known";
  const stored = outcome.state.updates.every((text) => decodeBase64url(text) !== undefined);
  must(stored, "what is stored can be read");
  // Everybody who has the rest can take it in, on top of it or at once.
  const [late, early] = [openYjs(outcome.state), openYjs(outcome.state, openYjs(state))];
  must(late.getText("body").toString() === early.getText("body").toString(), "all see the same");
  return "accepted";
}

const liveFrames = frames(65_536);
const event = {
  t: "event",
  id: "v1",
  ref: 3,
  name: "edit",
  type: "change",
  form: { id: "f", data: [["name", "Ada"], ["note", "äö"]], target: ["name"], touched: ["note"] },
};
const join = {
  t: "join",
  id: "v1",
  ref: 1,
  v: 1,
  token: "a.b.c",
  url: "/",
  mounts: 0,
  attempts: 0,
  nav: "navigate",
  params: { a: 1 },
  assets: ["/x.css"],
};

function checkLive(input: Uint8Array): string {
  const read = liveFrames.read(textOf(input));
  if ("problem" in read) {
    must(
      typeof read.problem === "string" && read.problem.length < 500,
      "a problem is a short text",
    );
    return "refused";
  }
  must(["join", "event", "params", "leave", "full", "drained", "ping"].includes(read.t), "a kind");
  if (read.t === "join") {
    must(Number.isSafeInteger(read.ref) && read.token.length <= 4096, "limits");
  }
  must(Object.getPrototypeOf(read) === Object.prototype, "a plain object");
  return "accepted";
}

function checkDocument(input: Uint8Array): string {
  const read = readClientFrame(textOf(input), 65_536);
  if (typeof read === "string") return "refused";
  if (read.t === "op" || read.t === "undo" || read.t === "redo") {
    must(Number.isSafeInteger(read.seq) && read.seq >= 0, "seq is a whole number");
  }
  if (read.t === "join") must(/^[\w-]{16,64}$/.test(read.client), "a client's name");
  return "accepted";
}

function checkCookie(input: Uint8Array): string {
  const header = textOf(input);
  const values = readCookie(header, "__Host-holdfast");
  must(values.length <= 20, "at most 20 values");
  for (const value of values) must(header.slice(0, 8192).includes(value), "a part of the header");
  return values.length === 0 ? "none" : "some";
}

const hmac = fastestHmac();
const keys = await deriveKeys(["W2bTqk0vJmXyqkVb4cQb0t7f6mXn3sLr9uYpZaDeHgI"], hmac);
const random = seededRandom(7);
const sids = [mintSid(random), mintSid(random)];
const NAME = "__Host-holdfast";
const tokens = await Promise.all(sids.map((sid) => signToken(keys[0]!, NAME, sid, hmac)));
const reserved = await Promise.all(
  sids.map((sid) => signReservation(keys[0]!, NAME, sid, 1_800_000_000_000, hmac)),
);

async function checkToken(input: Uint8Array): Promise<string> {
  const given = textOf(input);
  const token = await verifyToken(keys, NAME, given, hmac);
  const reservation = await verifyReservation(keys, NAME, given, hmac);
  must(token === undefined || tokens.includes(given), "nobody else's token is accepted");
  must(reservation === undefined || reserved.includes(given), "nor a reservation");
  for (const read of [token, reservation]) if (read !== undefined) must(isSid(read.sid), "a sid");
  return token === undefined && reservation === undefined ? "refused" : "accepted";
}

const clock = createVirtualClock({ now: 1_800_000_000_000 });
const pages = pageTokens(
  { keys: Promise.resolve(keys), hmac, clock, namespace: "app" },
  60_000,
);
const claims = { view: "v", page: "p", session: "s", path: "/", build: "b", until: 0 };
const pageToken = await pages.sign(claims);

async function checkPageToken(input: Uint8Array): Promise<string> {
  const given = textOf(input);
  const read = await pages.verify(given);
  if (!read.ok) return "refused";
  // Base64url as jose reads it has several spellings of a signature; what is signed has one.
  const signed = (jws: string): string => jws.slice(0, jws.lastIndexOf("."));
  must(signed(given) === signed(pageToken), "nobody else's page token is accepted");
  must(JSON.stringify(read.claims) === JSON.stringify(claims), "it says what was signed");
  return "accepted";
}

const state: JsonObject = { vsn: 2, state: { count: 1, items: ["ä"] } };
const alarm = { at: 5, scheduledAt: 5, attempt: 1, nonce: "abc" };
const session: JsonObject = {
  created: 1,
  seen: 2,
  confirmed: true,
  hop: 1,
  views: {
    cart: { vsn: 1, keys: { items: [] }, drafts: { p: { at: 3, keys: { note: "x" }, turn: 1 } } },
  },
};
const segment: JsonObject = {
  v: 1,
  e: "epoch",
  n: 4,
  ops: [{ t: 1, a: "ada", o: { op: "put" }, c: ["client", 2], i: {} }],
};
const snapshot: JsonObject = {
  v: 1,
  e: "epoch",
  seq: 9,
  state: [1],
  clients: { c: [1, 2, 3] },
  trimmed: 0,
  t: 5,
  aside: [1, 2],
};
const record = (content: JsonObject): Uint8Array =>
  encoder.encode(encodeRecord(4, "w1", { stateText: JSON.stringify(content), ended: undefined }));

function checkRecord(input: Uint8Array): string {
  const loaded = decodeRecord("etag", textOf(input), 65_536);
  const { state: read, problem, ended } = loaded;
  if (problem !== undefined) {
    must(read === undefined, "what cannot be used has no state");
    return "refused";
  }
  if (ended !== undefined) return "ended";
  must(isJsonObject(read), "a record that is fine has a state");
  const stored = read as JsonObject;
  const results = [
    refusing(() => readObject(stored), (found) => {
      must(readObject(storeObject(found.vsn, found)).vsn === found.vsn, "an object survives");
      return "object";
    }),
    refusing(() => readSegment(stored, 4), (found) => {
      const again = readSegment(storeSegment(found), found.deleted === undefined ? 4 : 0);
      must(again.entries.length === found.entries.length, "a segment survives");
      return "segment";
    }),
    refusing(() => readSnapshot(stored), (found) => {
      must(readSnapshot(storeSnapshot(found)).seq === found.seq, "a snapshot survives");
      return "snapshot";
    }),
    checkSession(stored),
  ];
  return results.find((result) => result !== "refused") ?? "of no kind";
}

function checkSession(stored: JsonObject): string {
  const found = readSession(stored);
  if (found === undefined) return "refused";
  must(readSession(storeSession(found)) !== undefined, "a session survives");
  for (const name of Object.keys(found.views)) {
    const slice = readSlice(found.views, name);
    must(slice !== undefined, "a slice that is there is read or damaged");
  }
  return "session";
}

function checkFile(input: Uint8Array): string {
  return refusing(() => parseRecord(input), (found) => {
    const again = parseRecord(formatRecord(found));
    must(again.key === found.key && again.value === found.value, "a file survives");
    return "accepted";
  });
}

function checkMigrating(input: Uint8Array): string {
  const stored = { value: textOf(input), etag: "1" };
  const old = refusing(() => readOld(stored), ({ kind }) => kind);
  const { kind } = readNew(stored);
  must(["record", "copy", "leftover"].includes(kind), "a kind");
  return `${old}, ${kind}`;
}

const insert = bytes("I", int32(7), "N", tuple("1", null, "ä"));
const pgoutput: readonly Uint8Array[] = [
  bytes("B", int64(5n), int64(0n), int32(9)),
  bytes("C", new Uint8Array(1), int64(1n), int64(2n), int64(3n)),
  bytes(
    "R",
    int32(7),
    text("public"),
    text("t"),
    "d",
    int16(1),
    Uint8Array.of(1),
    text("id"),
    int32(23),
    int32(0xffffffff),
  ),
  insert,
  bytes("U", int32(7), "O", tuple("1"), "N", tuple("2")),
  bytes("D", int32(7), "K", tuple("1")),
  bytes("T", int32(1), Uint8Array.of(0), int32(7)),
  bytes("M", text("x")),
];
const decode = new Pgoutput();

function checkPgoutput(input: Uint8Array): string {
  try {
    const message = decode.read(input);
    must(typeof message.kind === "string", "a message has a kind");
    return message.kind;
  } catch (error) {
    if (error instanceof RangeError) return "refused";
    throw error;
  }
}

function checkId(input: Uint8Array): string {
  const segment = textOf(input);
  const id = decodeId(segment);
  if (id === undefined) return "refused";
  must(encodeId(id) === segment, "an id has one spelling");
  return "accepted";
}

function checkPlace(input: Uint8Array): string {
  try {
    const { kind, shown } = placeOf(textOf(input), "/nowhere");
    if (kind === "postgres") must(new URL(shown).password === "", "no password is shown");
    return kind;
  } catch (error) {
    if (error instanceof UsageError) {
      must(!error.message.includes("hunter2"), "no password is told");
      return "refused";
    }
    throw error;
  }
}

const verb = command({
  help: "help",
  options: { limit: { type: "string" }, yes: { type: "boolean" } },
  words: [1, 2],
  run: (given: Given) =>
    Promise.resolve({ data: { limit: given.number("limit") }, lines: given.positionals }),
});

async function checkArguments(input: Uint8Array): Promise<string> {
  const args = textOf(input).split("\n");
  const out: string[] = [];
  const code = await verb(args, {
    out: (line) => void out.push(line),
    error: () => {},
    env: {},
    cwd: "/",
  });
  must([0, 2].includes(code), `the code is 0 or 2, not ${code}`);
  // Behind "--" and as the value of an option it is no flag; an error may still be told in JSON.
  const [first] = out;
  if (first?.startsWith('{"ok":') === true) must(typeof JSON.parse(first).ok === "boolean", "JSON");
  return String(code);
}

/** Every parser that reads what comes from the network or the store. */
export const targets: Readonly<Record<string, Target>> = {
  "live-frames": {
    corpus: json(
      join,
      event,
      { t: "event", id: "v", ref: 1, name: "go", type: "click", value: { a: [1, null] } },
      { t: "params", id: "v", ref: 2, url: "/x?y=1" },
      { t: "leave", id: "v", why: "unload" },
      { t: "full", id: "v" },
      { t: "drained" },
      { t: "ping", n: 4 },
    ),
    check: checkLive,
  },
  "document-frames": {
    corpus: json(
      { t: "join", v: 1, client: "abcdefghijklmnop", since: { epoch: "e", seq: 4 } },
      { t: "op", seq: 1, op: { op: "put", nodes: [{ id: "a", attrs: { b: 1 } }] } },
      { t: "undo", seq: 2 },
      { t: "redo", seq: 3 },
      { t: "here", data: { x: 1 } },
      { t: "ping", n: 1 },
    ),
    check: checkDocument,
  },
  cookies: {
    corpus: texts(
      `${NAME}=${tokens[0]}`,
      `a=b; ${NAME}=${tokens[1]}; c="d"`,
      `${NAME}="x"; ${NAME}=y;${NAME}=z`,
    ),
    check: checkCookie,
  },
  tokens: { corpus: texts(...tokens, ...reserved), check: checkToken },
  "page-tokens": { corpus: texts(pageToken), check: checkPageToken },
  records: {
    corpus: [
      record(state),
      record({
        ...state,
        alarms: { a: alarm },
        parked: { b: { scheduledAt: 1, parkedAt: 2, attempts: 3, error: "x" } },
      }),
      record(session),
      record(segment),
      record({ v: 1, e: "epoch", n: 0, x: 5, ops: [] }),
      record(snapshot),
      encoder.encode(encodeRecord(5, "w2", { stateText: undefined, ended: 6, mark: "m" })),
    ],
    check: checkRecord,
  },
  files: {
    corpus: [formatRecord({ key: "a/b", etag: "1", value: '{"x":"ä"}' })],
    check: checkFile,
  },
  migrating: {
    corpus: texts(markText("token"), copyText("token", "etag", "value"), stateText(), "{}"),
    check: checkMigrating,
  },
  pgoutput: { corpus: pgoutput, check: checkPgoutput },
  ids: { corpus: texts(encodeId("a/ä"), encodeId("."), encodeId("user-1")), check: checkId },
  places: {
    corpus: texts(
      "sqlite:app.db",
      "file:./data",
      "file:///tmp/x",
      "postgres://me:hunter2@host:5432/db?table=t",
      "s3://bucket/prefix/?endpoint=http://localhost:8000&pathStyle=1",
      "denokv:",
    ),
    check: checkPlace,
  },
  cluster: { corpus: nodeMessages, check: checkNodeMessage },
  shared: { corpus: sharedMessages, check: checkSharedMessage },
  "session-notices": {
    corpus: json(
      { keys: ["app/session/a", "app/session/b"], why: "rotated" },
      { keys: ["app/session/a"], why: "destroyed" },
      { keys: ["app/session/a"], stash: "cart" },
    ),
    check: checkSessionNotice,
  },
  yjs: { corpus: yjsUpdates, check: checkYjs },
  arguments: {
    corpus: texts("counter\n--limit\n5\n--json", "a\nb", "--help", "x\n--yes\n--limit=3", "--\n-x"),
    check: checkArguments,
  },
};
