import { encodeBase64url } from "../../src/core/base64url.ts";
import { checkNamespace } from "../../src/core/key.ts";
import type { JsonValue } from "../../src/core/json.ts";
import { checkSecrets, deriveKeys, type Secret } from "../../src/core/secret.ts";
import { checkLifetime, type Lifetime } from "../../src/core/ttl.ts";
import type { DocumentClient } from "../../src/document/client.ts";
import type { DocumentDefinition } from "../../src/document/model.ts";
import type { CallOptions } from "../../src/object/calls.ts";
import { Engine } from "../../src/object/engine.ts";
import type { Objects } from "../../src/object/inventory.ts";
import type {
  AnyObjectDefinition,
  HandlerArgs,
  HandlerReply,
  ObjectClient,
  ObjectDefinition,
} from "../../src/object/model.ts";
import type { ObjectHost } from "../../src/object/objects.ts";
import type { ClusterNode } from "../../src/cluster/node.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { Cluster } from "../../src/ports/cluster.ts";
import type { Hmac } from "../../src/ports/hmac.ts";
import type { Random } from "../../src/ports/random.ts";
import type { Storage } from "../../src/ports/storage.ts";
import type { Telemetry } from "../../src/ports/telemetry.ts";
import { Identities } from "../../src/stash/identities.ts";
import { SessionNotices } from "../../src/stash/notices.ts";
import type { SessionOptions } from "../../src/stash/session.ts";
import { Sessions } from "../../src/stash/sessions.ts";
import type { SweepOptions, SweepReport } from "../../src/stash/sweep.ts";
import { webClock } from "./clock.ts";
import { clusterNode, type ClusterOptions, hearNotice, noticeTeller } from "./cluster_root.ts";
import { type CookieOptions, type CookieSettings, cookieSettings, readCookie } from "./cookies.ts";
import { fastestHmac } from "./hmac.ts";
import { type DocumentRoot, documentRoot, type DocumentRootOptions } from "./document_root.ts";
import { checkLimits, type HoldfastLimits } from "./limits.ts";
import { type Internals, noteInternals } from "./internals.ts";
import { enginePorts, Listeners } from "./listeners.ts";
import { type AlarmOptions, objectHost } from "./object_root.ts";
import { OpenedSession, type OpenSession } from "./opened.ts";
import { webRandom } from "./random.ts";
import { Sweeper } from "./sweeper.ts";
import { checkKnown, type OptionNames } from "../../src/core/options.ts";
import {
  checkArgs,
  checkCall,
  checkClose,
  checkOpen,
  checkStorage,
  checkSweep,
} from "./root_args.ts";

/** Options of {@linkcode createHoldfast}. */
export interface HoldfastOptions {
  /** Where everything durable is kept. Closed by `close()`. */
  readonly storage: Storage;
  /**
   * Root secrets, 32 bytes or more each, from a secret store or the environment. The first signs
   * and derives keys, all verify. To rotate: add the new one last and deploy, then move it first
   * and deploy, then remove the old one when its sessions are over.
   */
  readonly secrets: readonly Secret[];
  /** Keeps several applications on one storage apart: `a-z 0-9 _ -`. @default {"app"} */
  readonly namespace?: string;
  /** How the session cookie is set. */
  readonly cookie?: CookieOptions;
  /** When sessions expire, in milliseconds. */
  readonly lifetime?: Partial<Lifetime>;
  /** Sizes, counts and time limits. */
  readonly limits?: Partial<HoldfastLimits>;
  /**
   * How often expired sessions are looked for, in milliseconds; `Infinity` for never.
   * @default {300000}
   */
  readonly sweepEveryMs?: number;
  /**
   * Definitions of the durable objects this process serves. One that is first handed to `object()`
   * later is served from then on: its alarms wait until then.
   */
  readonly objects?: readonly AnyObjectDefinition[];
  /** How alarms are found and tried. */
  readonly alarms?: AlarmOptions;
  /**
   * Messages between the nodes of the application, if there are several: each object is then run by one
   * of them, and calls find it. Nothing depends on it but speed: without it, and while it fails, nodes on
   * one storage are safe as well.
   */
  readonly cluster?: Cluster;
  /** How nodes find out about each other. */
  readonly clusterTimes?: ClusterOptions;
  /** How documents are followed, and presence is told. */
  readonly documents?: DocumentRootOptions;
  /** Receives events. */
  readonly telemetry?: Telemetry;
  /** Time, if not the machine's. */
  readonly clock?: Clock;
  /** Chance, if not the machine's. */
  readonly random?: Random;
  /** HMAC-SHA-256, if not the fastest this runtime has. */
  readonly hmac?: Hmac;
}

/** What {@linkcode Holdfast.close} did. */
export interface CloseReport {
  /** `true` if everything accepted is durable. */
  readonly complete: boolean;
  /** Sessions and objects with unfinished writes when the limit passed. */
  readonly unfinished: number;
}

/** What a node sees of the cluster at this moment. */
export interface ClusterNodes {
  /** Where other nodes reach this one. */
  readonly address: string;
  /** The addresses of all nodes, this one included, in order. */
  readonly members: readonly string[];
  /** Whether there is a link to other nodes: `false` while the cluster fails. */
  readonly linked: boolean;
}

/** The composition root: one per process. */
export interface Holdfast extends AsyncDisposable {
  /**
   * Opens the session of a request. Reads nothing until the session is used.
   *
   * @param cookieHeader The Cookie header; `null` or `undefined` if there is none.
   * @throws {TypeError} If an option does not exist, or makes no sense.
   */
  open(cookieHeader: string | null | undefined, options?: SessionOptions): OpenSession;
  /**
   * Ends expired sessions and removes the records of ended ones; looks at a bounded part at a time.
   * Runs by itself every `sweepEveryMs`.
   */
  sweep(options?: SweepOptions): Promise<SweepReport>;
  /**
   * Makes a client of one durable object. Reads nothing until it is called, and may be made anew
   * for each use.
   *
   * @param id Any Unicode text of 1 to 512 bytes of UTF-8.
   * @throws {TypeError} If the definition is none, or the id is not well-formed text.
   * @throws {RangeError} If the id is empty or too long.
   */
  object<S extends object, H>(
    definition: ObjectDefinition<S, H>,
    id: string,
    options?: CallOptions,
  ): ObjectClient<H>;
  /** Calls a handler of a durable object: by definition, typed. */
  call<S extends object, H, K extends keyof H & string>(
    definition: ObjectDefinition<S, H>,
    id: string,
    handler: K,
    args: HandlerArgs<H[K]>,
    options?: CallOptions,
  ): Promise<Awaited<HandlerReply<H[K]>>>;
  /** Calls a handler of a durable object: by the name of a definition in use. */
  call(
    name: string,
    id: string,
    handler: string,
    args?: readonly unknown[],
    options?: CallOptions,
  ): Promise<unknown>;
  /**
   * Makes a client of one document. Reads nothing until it is used, and may be made anew for each use.
   *
   * @param id Any Unicode text of 1 to 512 bytes of UTF-8.
   * @throws {TypeError} If the definition is none, or the id is not well-formed text.
   * @throws {RangeError} If the id is empty or too long.
   */
  document<S, Op>(definition: DocumentDefinition<S, Op>, id: string): DocumentClient<S, Op>;
  /** The nodes this one knows of, itself included; `undefined` without a cluster. */
  readonly nodes: ClusterNodes | undefined;
  /** Looks after durable objects as a whole: lists, deletes, stops them. */
  readonly objects: Objects;
  /**
   * Listens to events.
   *
   * @param pattern The name of an event, or a beginning and `*`: `holdfast.alarm.*`.
   * @returns A function that ends it.
   */
  subscribe(pattern: string, listener: Telemetry): () => void;
  /**
   * Accepts nothing more, waits until everything accepted is durable, and closes the storage. Stop
   * the server first.
   *
   * @param options `withinMs`: longest wait in milliseconds, 10 s by default.
   */
  close(options?: { readonly withinMs?: number }): Promise<CloseReport>;
}

/**
 * Makes the composition root of an application: everything hangs off it.
 *
 * @param options Where to store, and with which secrets.
 * @returns The root; close it at the end.
 * @throws {TypeError} If an option makes no sense, or a secret is missing or weak.
 * @throws {RangeError} If a number is out of range.
 *
 * @example A session over two requests
 * ```ts
 * import { createHoldfast, defineStash } from "@holdfast/holdfast";
 * import { memoryStorage } from "@holdfast/holdfast/memory";
 * import { assertEquals } from "@std/assert";
 *
 * const secret = crypto.getRandomValues(new Uint8Array(32));
 * await using holdfast = createHoldfast({ storage: memoryStorage(), secrets: [secret] });
 * const Cart = defineStash({
 *   name: "cart",
 *   vsn: 1,
 *   stored: ["items"],
 *   state: () => ({ items: [] as string[] }),
 * });
 *
 * const first = holdfast.open(null);
 * const cart = await first.session.stash(Cart);
 * cart.state.items.push("kelp");
 * await cart.stash();
 * const cookie = first.seal()?.split(";")[0];
 *
 * const second = holdfast.open(cookie);
 * assertEquals((await second.session.stash(Cart)).state.items, ["kelp"]);
 * ```
 */
export function createHoldfast(options: HoldfastOptions): Holdfast {
  checkKnown(options, optionNames, "create a holdfast");
  const { storage, clock = webClock() } = options;
  checkStorage(storage);
  const cookie = cookieSettings(options.cookie);
  const { engine, internals, host, documents, listeners, node } = compose(
    { ...options, clock },
    cookie,
  );
  const { sessions } = internals;
  const sweeper = new Sweeper(sessions, clock, options.sweepEveryMs);

  const close: Holdfast["close"] = async (closeOptions = {}) => {
    const { withinMs = 10_000 } = checkClose(closeOptions);
    sweeper.stop();
    node?.drain();
    const reports = await Promise.all([
      host.drain(withinMs),
      documents.drain(withinMs),
      engine.drain(withinMs),
    ]);
    await node?.close();
    await storage.close?.();
    const unfinished = reports.reduce((sum, report) => sum + report.unfinished, 0);
    return { complete: reports.every((report) => report.complete), unfinished };
  };
  const holdfast: Holdfast = {
    open: (cookieHeader, openOptions = {}) => internals.open(cookieHeader, checkOpen(openOptions)),
    sweep: async (sweepOptions = {}) => await sessions.sweep(checkSweep(sweepOptions)),
    object: <S extends object, H>(
      definition: ObjectDefinition<S, H>,
      id: string,
      callOptions?: CallOptions,
      // Built from the definition whose type says what it is.
    ) => host.client(definition, id, checkCall(callOptions)) as ObjectClient<H>,
    call: callOf(host),
    document: <S, Op>(definition: DocumentDefinition<S, Op>, id: string) =>
      // What state and operations are the definition says.
      documents.client(definition, id) as unknown as DocumentClient<S, Op>,
    nodes: node,
    objects: host.objects,
    subscribe: (pattern, listener) => listeners.subscribe(pattern, listener),
    close,
    [Symbol.asyncDispose]: async () => void await close(),
  };
  noteInternals(holdfast, internals);
  return holdfast;
}

const optionNames: OptionNames<HoldfastOptions> = {
  storage: true,
  secrets: true,
  namespace: true,
  cookie: true,
  lifetime: true,
  limits: true,
  sweepEveryMs: true,
  objects: "an array",
  alarms: true,
  cluster: true,
  clusterTimes: true,
  documents: true,
  telemetry: "a function",
  clock: ".now",
  random: ".bytes",
  hmac: "a function",
};

function callOf(host: ObjectHost): Holdfast["call"] {
  const call = (
    target: AnyObjectDefinition | string,
    id: string,
    handler: string,
    args: readonly unknown[] = [],
    options?: CallOptions,
  ): Promise<unknown> =>
    host.call(target, id, handler, checkArgs(args, handler), checkCall(options) ?? {});
  // The reply has the type that the definition says.
  return call as Holdfast["call"];
}

/** Puts the engine and the sessions together on the ports of this process. */
function compose(
  options: HoldfastOptions & { readonly clock: Clock },
  cookie: CookieSettings,
): {
  engine: Engine;
  internals: Internals;
  host: ObjectHost;
  documents: DocumentRoot;
  listeners: Listeners;
  node: ClusterNode | undefined;
} {
  const { storage, secrets, clock, random = webRandom(), hmac = fastestHmac() } = options;
  checkSecrets(secrets);
  const namespace = checkNamespace(options.namespace ?? "app");
  const limits = checkLimits(options.limits);
  const lifetime = checkLifetime(options.lifetime);
  const listeners = new Listeners(options.telemetry);
  const ports = enginePorts({ storage, clock, random }, listeners);
  const node = clusterNode({ ...options, random });
  const keys = deriveKeys(secrets, hmac);
  // Whoever needs the keys sees the failure; nobody else has to.
  keys.catch(() => {});
  const { maxSessionBytes, maxActive, draftMs, maxDrafts, mailbox, storageTimeoutMs } = limits;
  const engine = new Engine(ports, {
    maxStateBytes: maxSessionBytes,
    mailbox,
    storageTimeoutMs,
    maxActive,
  });
  const notices = new SessionNotices(noticeTeller(node));
  const sessions = new Sessions({
    engine,
    identities: new Identities({
      hmac,
      random,
      namespace,
      cookieName: cookie.name,
      keys,
      remembered: maxActive,
    }),
    lifetime,
    drafts: { draftMs, maxDrafts },
    maxSessionBytes,
    now: () => clock.now(),
    newPage: () => encodeBase64url(random.bytes(12)),
    notices,
    get emit() {
      return listeners.emit;
    },
  }, namespace);
  const host = objectHost(ports, namespace, limits, options.alarms, options.objects, node);
  node?.attach(host);
  node?.listen("session", (body) => hearNotice(notices, body));
  const documents = documentRoot(
    ports,
    namespace,
    limits,
    options.documents,
    // What is told is JSON: state and presence are copied when they are taken.
    node && ((notice) => node.tell("document", notice as unknown as JsonValue)),
  );
  node?.listen("document", (body) => documents.hear(body));
  const internals: Internals = {
    clock,
    random,
    hmac,
    namespace,
    keys,
    sessions,
    cookie,
    open: (cookieHeader, asked) =>
      new OpenedSession(sessions.open(readCookie(cookieHeader, cookie.name), asked), cookie),
    get closing() {
      return engine.closing;
    },
    probe: () => engine.peek(`${namespace}/session/probe`),
    inspection: { objects: host.inspection, documents: documents.inspection, sessions: engine },
    get emit() {
      return listeners.emit;
    },
  };
  return { engine, internals, host, documents, listeners, node };
}
