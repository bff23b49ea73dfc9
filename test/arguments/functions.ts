import * as api from "@opentelemetry/api";
import {
  durableObjectHost,
  durableObjectStorage,
  hostedObjects,
} from "../../adapters/cloudflare/mod.ts";
import { denokvStorage } from "../../adapters/denokv/mod.ts";
import { fileStorage } from "../../adapters/file/mod.ts";
import { documentSocket, health, session } from "../../adapters/hono/mod.ts";
import { createInspector } from "../../adapters/inspector/mod.ts";
import { createLive, defineView, on } from "../../adapters/live/mod.ts";
import { memoryCluster, memoryStorage } from "../../adapters/memory/mod.ts";
import { migratingStorage } from "../../adapters/migrating/mod.ts";
import { natsCluster, natsStorage } from "../../adapters/nats/mod.ts";
import { serve } from "../../adapters/node/mod.ts";
import { otelTelemetry } from "../../adapters/otel/mod.ts";
import { createSync, postgresStorage, syncDown, syncUp } from "../../adapters/postgres/mod.ts";
import { s3Storage } from "../../adapters/s3/mod.ts";
import { sqliteStorage } from "../../adapters/sqlite/mod.ts";
import {
  assertAlarmScheduled,
  assertPersisted,
  createVirtualClock,
  drainAlarms,
  faultyStorage,
  fireAlarm,
  performAlarm,
  performHandler,
  refuteAlarmScheduled,
  seededPlan,
  seededRandom,
} from "../../adapters/testing/mod.ts";
import { changeYjs, openYjs, yjsDocument } from "../../adapters/yjs/mod.ts";
import {
  createHoldfast,
  defineDocument,
  defineObject,
  defineStash,
  handleSession,
  type Holdfast,
  keyBetween,
  treeDocument,
  withCookie,
} from "../../mod.ts";

/** A function as JavaScript calls it, with arguments that make sense. */
export interface Callable {
  readonly name: string;
  // deno-lint-ignore no-explicit-any
  readonly call: (...args: any[]) => unknown;
  readonly good: readonly unknown[];
}

export const secrets: readonly Uint8Array[] = [new Uint8Array(32).map((_, i) => i * 7)];
const Cart = defineStash({
  name: "cart",
  vsn: 1,
  stored: ["items"],
  state: () => ({ items: [] as string[] }),
});
const Counter = defineObject({
  name: "counter",
  vsn: 1,
  state: () => ({ count: 0 }),
  handlers: { add: ({ state }, by = 1) => state.count += by },
  alarms: { tick: () => {} },
});
const List = defineDocument({
  name: "list",
  vsn: 1,
  state: () => ({ items: [] as string[] }),
  apply: (state, op: { add: string }) => ({ state: { items: [...state.items, `${op?.add}`] } }),
});
const Page = defineView({ name: "page", state: () => ({ n: 0 }), render: () => "<p></p>" });

/** A root on memory. */
const root = (): Holdfast =>
  createHoldfast({ storage: memoryStorage(), secrets, sweepEveryMs: Infinity });

const tables = { orders: { key: "org" } };
const binding = { idFromName: () => ({}), get: () => ({ fetch: () => new Response() }) };
const nothing = (): void => {};

/** Everything that describes or makes something. */
export const functions: readonly Callable[] = [
  {
    name: "defineStash",
    call: defineStash,
    good: [{ name: "a", vsn: 1, stored: [], state: () => ({}) }],
  },
  {
    name: "defineObject",
    call: defineObject,
    good: [{ name: "a", vsn: 1, state: () => ({}), handlers: { x: { run: nothing } } }],
  },
  {
    name: "defineDocument",
    call: defineDocument,
    good: [{ name: "a", vsn: 1, state: () => ({}), apply: (state: object) => ({ state }) }],
  },
  { name: "treeDocument", call: treeDocument, good: [{ name: "a", vsn: 1 }] },
  { name: "yjsDocument", call: yjsDocument, good: [{ name: "a" }] },
  {
    name: "defineView",
    call: defineView,
    good: [{ name: "a", state: () => ({}), render: () => "<p></p>" }],
  },
  {
    name: "createHoldfast",
    call: createHoldfast,
    good: [{ storage: memoryStorage(), secrets, sweepEveryMs: Infinity }],
  },
  { name: "session", call: session, good: [root(), {}] },
  { name: "health", call: health, good: [root(), {}] },
  {
    name: "documentSocket",
    call: documentSocket,
    good: [root(), List, { upgradeWebSocket: nothing, access: nothing }],
  },
  { name: "createLive", call: createLive, good: [root(), { views: [Page] }] },
  { name: "createInspector", call: createInspector, good: [root(), {}] },
  { name: "sqliteStorage", call: sqliteStorage, good: [":memory:", {}] },
  { name: "fileStorage", call: fileStorage, good: ["holdfast-never-made", {}] },
  { name: "denokvStorage", call: denokvStorage, good: [":memory:", {}] },
  { name: "s3Storage", call: s3Storage, good: [{ bucket: "app" }] },
  { name: "postgresStorage", call: postgresStorage, good: [{ url: "postgres://u@127.0.0.1:1/d" }] },
  { name: "natsStorage", call: natsStorage, good: [{ servers: "nats://127.0.0.1:1" }] },
  { name: "natsCluster", call: natsCluster, good: [{ servers: "nats://127.0.0.1:1" }] },
  { name: "memoryCluster", call: memoryCluster, good: [{}] },
  {
    name: "migratingStorage",
    call: migratingStorage,
    good: [{ from: memoryStorage(), to: memoryStorage(), phase: "copying" }],
  },
  { name: "durableObjectStorage", call: durableObjectStorage, good: [binding, {}] },
  {
    name: "durableObjectHost",
    call: durableObjectHost,
    good: [{ objects: [Counter], binding: () => binding }],
  },
  { name: "hostedObjects", call: hostedObjects, good: [binding, {}] },
  { name: "otelTelemetry", call: otelTelemetry, good: [{ api }] },
  { name: "createSync", call: createSync, good: [{ url: "postgres://u@127.0.0.1:1/d", tables }] },
  { name: "syncUp", call: syncUp, good: [{ tables }] },
  { name: "syncDown", call: syncDown, good: [{ tables }] },
  { name: "createVirtualClock", call: createVirtualClock, good: [{}] },
  { name: "faultyStorage", call: faultyStorage, good: [memoryStorage(), { plan: nothing }] },
  {
    name: "handleSession",
    call: handleSession,
    good: [root(), new Request("http://a.example/"), () => new Response(), {}],
  },
  { name: "serve", call: serve, good: [{ fetch: () => new Response(), port: 0 }] },
  { name: "on", call: on, good: [{ "~standard": { validate: nothing } }, nothing] },
  { name: "withCookie", call: withCookie, good: [new Response(), undefined] },
  { name: "keyBetween", call: keyBetween, good: [null, null] },
  { name: "seededRandom", call: seededRandom, good: [1] },
  { name: "seededPlan", call: seededPlan, good: [seededRandom(1), {}, 0] },
  { name: "openYjs", call: openYjs, good: [{ updates: [] }] },
  {
    name: "changeYjs",
    call: changeYjs,
    good: [root().document(yjsDocument({ name: "a" }), "a"), nothing],
  },
  { name: "drainAlarms", call: drainAlarms, good: [root()] },
  { name: "fireAlarm", call: fireAlarm, good: [root(), Counter, "a", "tick"] },
  { name: "assertPersisted", call: assertPersisted, good: [root(), Counter, "a", undefined] },
  {
    name: "assertAlarmScheduled",
    call: assertAlarmScheduled,
    good: [root(), Counter, "a", "tick", {}],
  },
  {
    name: "refuteAlarmScheduled",
    call: refuteAlarmScheduled,
    good: [root(), Counter, "a", "tick"],
  },
  { name: "performHandler", call: performHandler, good: [Counter, "add", [], {}] },
  { name: "performAlarm", call: performAlarm, good: [Counter, "tick", {}] },
];

const holdfast = root();
const { session: opened } = holdfast.open(null);
const cart = await opened.stash(Cart);
const list = holdfast.document(List, "a");
const clock = createVirtualClock();

/** What is done with what they make. */
export const methods: readonly Callable[] = [
  { name: "open", call: holdfast.open, good: [null, { admit: () => true }] },
  { name: "sweep", call: holdfast.sweep, good: [{}] },
  { name: "object", call: holdfast.object, good: [Counter, "a", {}] },
  { name: "call", call: holdfast.call, good: [Counter, "a", "add", [1], {}] },
  { name: "document", call: holdfast.document, good: [List, "a"] },
  { name: "subscribe", call: holdfast.subscribe, good: ["x", nothing] },
  {
    name: "close",
    call: (...args: Parameters<Holdfast["close"]>) => root().close(...args),
    good: [{}],
  },
  { name: "objects.list", call: holdfast.objects.list, good: [Counter, {}] },
  { name: "objects.peek", call: holdfast.objects.peek, good: [Counter, "a"] },
  { name: "objects.fire", call: holdfast.objects.fire, good: [Counter, "a", "tick"] },
  { name: "stash", call: opened.stash.bind(opened), good: [Cart, {}] },
  { name: "rotate", call: opened.rotate.bind(opened), good: [{}] },
  { name: "update", call: cart.update.bind(cart), good: [nothing] },
  { name: "mutate", call: list.mutate.bind(list), good: [{ add: "x" }, {}] },
  { name: "join", call: list.join.bind(list), good: [{ deliver: () => true }] },
  { name: "history", call: list.history.bind(list), good: [{}] },
  { name: "restore", call: list.restore.bind(list), good: [0, {}] },
  { name: "timer", call: clock.timer.bind(clock), good: [1, nothing] },
];

/** What a call throws; `undefined` if it does not, or not at once. */
export async function thrownBy(call: () => unknown): Promise<unknown> {
  let made: unknown;
  try {
    made = call();
    // What waits for something has accepted its arguments.
    made = await Promise.race([made, new Promise((resolve) => setTimeout(resolve, 1))]);
  } catch (error) {
    return error;
  }
  const { close } = (made ?? {}) as { readonly close?: unknown };
  if (typeof close === "function") await close.call(made);
  return undefined;
}
