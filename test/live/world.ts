import { Hono } from "hono";
import { session, type SessionEnv } from "../../adapters/hono/mod.ts";
import { createLive, type Live, type LiveOptions } from "../../adapters/live/mod.ts";
import type { SocketEvents } from "../../adapters/live/types.ts";
import type { Holdfast, HoldfastOptions } from "../../adapters/web/holdfast.ts";
import type { AnyView } from "../../src/live/model.ts";
import type {
  ClientFrame,
  EventFrame,
  JoinedFrame,
  JoinFrame,
  ReplyFrame,
  ServerFrame,
} from "../../src/live/protocol.ts";
import { applySplices } from "../../src/live/splice.ts";
import type { Storage } from "../../src/ports/storage.ts";
import type { VirtualClock } from "../../adapters/testing/mod.ts";
import { type World, world } from "../stash/world.ts";
import { cryptoIsIdle } from "./crypto_watch.ts";

export const origin = "https://app.example";

/** A node with live views, and an app around them. */
export interface LiveNode {
  readonly holdfast: Holdfast;
  readonly live: Live;
  readonly app: Hono<SessionEnv>;
  /** Sockets whose other end is a page of the tests. */
  readonly sockets: FakeSocket[];
  /** Where the live routes are, if not at `/live`. */
  readonly path?: string;
}

/** Nodes with live views on one store, in time that the test turns. */
export interface LiveWorld extends World {
  /** Starts a node. Each view is at `/` and its name. */
  live(
    views: readonly AnyView[],
    options?: Partial<LiveOptions>,
    holdfastOptions?: Partial<HoldfastOptions>,
  ): LiveNode;
  /** Turns time until something is the case. */
  until(condition: () => boolean, what?: string, withinMs?: number): Promise<void>;
}

/** Makes a world. */
export function liveWorld(front?: (storage: Storage) => Storage): LiveWorld {
  const at = world(front);
  return {
    ...at,
    live: (views, options = {}, holdfastOptions = {}) => {
      const holdfast = at.node(holdfastOptions);
      const sockets: FakeSocket[] = [];
      const live = createLive(holdfast, {
        views,
        upgradeWebSocket: fakeUpgrade(sockets),
        ...options,
      });
      const app = new Hono<SessionEnv>();
      app.use(session(holdfast));
      app.all("/live/*", live.routes());
      for (const view of views) app.all(`/${view.name}`, live.page(view));
      return { holdfast, live, app, sockets };
    },
    until: async (condition, what = "what is waited for", withinMs = 60_000) => {
      for (let passed = 0; passed <= withinMs; passed += 5) {
        await turn(at.clock, passed === 0 ? 0 : 5);
        if (condition()) return;
      }
      throw new Error(`Not within ${withinMs} ms: ${what}`);
    },
    finish: async (promise, withinMs = 60_000) => {
      let settled = false;
      const done = (): void => void (settled = true);
      promise.then(done, done);
      for (let passed = 0; passed <= withinMs; passed += 5) {
        await turn(at.clock, passed === 0 ? 0 : 5);
        if (settled) return promise;
      }
      throw new Error(`Not settled within ${withinMs} ms`);
    },
  };
}

/** Turns time on, and waits for what does not follow it. */
async function turn(clock: VirtualClock, ms: number): Promise<void> {
  await clock.advance(ms);
  for (let rounds = 0; rounds < 3; rounds++) {
    await cryptoIsIdle();
    await clock.advance(0);
  }
}

/** One end of a socket that is a page's. */
export class FakeSocket {
  readonly #events: SocketEvents;
  readonly received: ServerFrame[] = [];
  closedWith: number | undefined;
  onFrame: (frame: ServerFrame) => void = () => {};
  onClose: (code: number) => void = () => {};

  constructor(events: SocketEvents) {
    this.#events = events;
    events.onOpen?.({}, {
      send: (text) => {
        if (this.closedWith !== undefined) throw new Error("The socket is closed");
        const frame: ServerFrame = JSON.parse(text);
        this.received.push(frame);
        this.onFrame(frame);
      },
      close: (code = 1005) => this.#close(code),
    });
  }

  send(data: unknown): void {
    if (this.closedWith !== undefined) return;
    this.#events.onMessage?.({ data }, { send: () => {}, close: () => {} });
  }

  /** The connection is lost. */
  drop(code = 1006): void {
    if (this.closedWith === undefined) this.#close(code);
  }

  #close(code: number): void {
    this.closedWith = code;
    this.#events.onClose?.({}, { send: () => {}, close: () => {} });
    this.onClose(code);
  }
}

/** Upgrades to sockets whose other end is the test's. */
export function fakeUpgrade(sockets: FakeSocket[]): NonNullable<LiveOptions["upgradeWebSocket"]> {
  return (createEvents) => async (c) => {
    sockets.push(new FakeSocket(await createEvents(c)));
    // Not every runtime can make a response of status 101.
    return new Response(null, { headers: { "x-upgraded": "yes" } });
  };
}

/** A browser with its cookie jar. */
export class Jar {
  cookie: string | undefined;
  readonly got: string[] = [];

  async request(node: LiveNode, path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    if (this.cookie !== undefined) headers.set("cookie", this.cookie);
    const response = await node.app.request(origin + path, { ...init, headers });
    const set = response.headers.get("set-cookie");
    if (set !== null) {
      this.got.push(set);
      this.cookie = set.includes("Max-Age=0") ? undefined : set.split(";")[0];
    }
    return response;
  }
}

/** What a page knows of one of its views. */
export interface Root {
  readonly id: string;
  readonly view: string;
  token: string;
  html: string;
  rev: number;
  title: string;
  mounts: number;
  attempts: number;
  joined: JoinedFrame | undefined;
}

const rootPattern =
  /<div id="([^"]*)" data-live-view="([^"]*)" data-live-token="([^"]*)" data-live-state="connecting">(.*?)<\/div>/gs;

/** The views of a page's HTML. */
export function rootsOf(html: string): Root[] {
  return Array.from(
    html.matchAll(rootPattern),
    ([, id = "", view = "", token = "", inner = ""]) => ({
      id,
      view,
      token,
      html: inner,
      rev: 0,
      title: "",
      mounts: 0,
      attempts: 0,
      joined: undefined,
    }),
  );
}

/** A page of a browser: what the client does, as far as the server can tell. */
export class Page {
  readonly at: LiveWorld;
  readonly jar: Jar;
  readonly roots: Map<string, Root> = new Map();
  readonly frames: ServerFrame[] = [];
  url: string;
  node: LiveNode;
  socket: FakeSocket | undefined;
  closedWith: number | undefined;
  answersDrain = true;
  /** Sent when the server takes leave, before the answer. */
  pending: ClientFrame[] = [];
  #ref = 0;

  private constructor(at: LiveWorld, node: LiveNode, jar: Jar, url: string) {
    this.at = at;
    this.node = node;
    this.jar = jar;
    this.url = url;
  }

  /** Loads a page. */
  static async load(
    at: LiveWorld,
    node: LiveNode,
    url: string,
    jar: Jar = new Jar(),
  ): Promise<Page> {
    const page = new Page(at, node, jar, url);
    const html = await (await at.finish(jar.request(node, url))).text();
    for (const root of rootsOf(html)) page.roots.set(root.id, root);
    return page;
  }

  /** Loads a page, connects and joins all of its views. */
  static async open(at: LiveWorld, node: LiveNode, url: string, jar?: Jar): Promise<Page> {
    const page = await Page.load(at, node, url, jar);
    await page.connect();
    await page.join();
    return page;
  }

  /** The only view, or the one of an id. */
  root(id?: string): Root {
    const root = id === undefined ? [...this.roots.values()][0] : this.roots.get(id);
    if (root === undefined) throw new Error("The page has no such view");
    return root;
  }

  /** Opens a socket. */
  async connect(
    node: LiveNode = this.node,
    headers: Record<string, string> = {},
  ): Promise<Response> {
    this.node = node;
    this.closedWith = undefined;
    const response = await this.jar.request(node, `${node.path ?? "/live"}/socket`, {
      headers: { upgrade: "websocket", connection: "upgrade", origin, ...headers },
    });
    if (response.headers.get("x-upgraded") !== "yes") return response;
    const socket = node.sockets.at(-1);
    if (socket === undefined) throw new Error("There is no socket");
    this.socket = socket;
    socket.onFrame = (frame) => void (this.socket === socket && this.#take(frame));
    socket.onClose = (code) => void (this.socket === socket && (this.closedWith = code));
    return response;
  }

  /** Sends the joins without waiting for what becomes of them. */
  sendJoins(over: Partial<JoinFrame> = {}): void {
    for (const root of this.roots.values()) {
      root.joined = undefined;
      this.send({
        t: "join",
        id: root.id,
        ref: ++this.#ref,
        v: 1,
        token: root.token,
        url: this.url,
        mounts: root.mounts,
        attempts: root.attempts++,
        nav: root.mounts === 0 ? "navigate" : "resume",
        ...over,
      });
    }
  }

  /** Joins all views. */
  async join(over: Partial<JoinFrame> = {}): Promise<void> {
    const before = this.frames.length;
    this.sendJoins(over);
    const all = () => [...this.roots.values()].every(({ joined }) => joined !== undefined);
    const failed = () => this.frames.slice(before).some(({ t }) => t === "error");
    await this.at.until(() => all() || failed() || this.closedWith !== undefined, "the joins");
    if (!all()) throw new Error(`Not joined: ${JSON.stringify(this.frames.at(-1))}`);
  }

  /** Loses the connection, and comes back, perhaps on another node. */
  async reconnect(node: LiveNode = this.node): Promise<void> {
    this.socket?.drop();
    await this.connect(node);
    await this.join();
  }

  send(frame: ClientFrame): void {
    this.socket?.send(JSON.stringify(frame));
  }

  /** Sends an event without waiting for its reply; returns its number. */
  fire(name: string, over: Partial<EventFrame> = {}): number {
    const ref = over.ref ?? ++this.#ref;
    this.send({ t: "event", id: this.root().id, name, type: "click", ...over, ref });
    return ref;
  }

  /** Sends an event and waits for its reply. */
  async event(name: string, over: Partial<EventFrame> = {}): Promise<ReplyFrame> {
    const before = this.frames.length;
    const ref = this.fire(name, over);
    const find = () => this.frames.slice(before).find((f) => f.t === "reply" && f.ref === ref);
    const crashed = () => this.frames.slice(before).some((f) => f.t === "error");
    await this.at.until(() => find() !== undefined || crashed(), name);
    const reply = find();
    if (reply?.t !== "reply") throw new Error(`No reply: ${JSON.stringify(this.frames.at(-1))}`);
    return reply;
  }

  /** Changes the address within the view. */
  async patch(url: string): Promise<void> {
    this.url = url;
    const ref = ++this.#ref;
    this.send({ t: "params", id: this.root().id, ref, url });
    await this.at.until(() => this.frames.some((f) => f.t === "reply" && f.ref === ref), "params");
  }

  /** Frames of one kind. */
  of<T extends ServerFrame["t"]>(t: T): Extract<ServerFrame, { t: T }>[] {
    return this.frames.filter((frame): frame is Extract<ServerFrame, { t: T }> => frame.t === t);
  }

  /** Waits for one more notice that something is durable, or is not. */
  async saved(): Promise<void> {
    const before = this.of("stash").length;
    await this.at.until(() => this.of("stash").length > before, "a durable notice");
  }

  #take(frame: ServerFrame): void {
    this.frames.push(frame);
    if (frame.t === "drain" && this.answersDrain) {
      for (const one of this.pending.splice(0)) this.send(one);
      this.send({ t: "drained" });
    }
    if (!("id" in frame) || frame.id === undefined) return;
    const root = this.roots.get(frame.id);
    if (root !== undefined) update(root, frame);
  }
}

/** What a frame makes of a view, as the client sees it. */
function update(root: Root, frame: ServerFrame): void {
  if (frame.t === "joined") {
    root.joined = frame;
    root.mounts++;
    root.attempts = 0;
    root.token = frame.token;
    root.html = frame.html;
    root.rev = frame.rev;
  }
  if (frame.t !== "patch" && frame.t !== "reply") return;
  if (frame.html !== undefined) root.html = frame.html;
  if (frame.splice !== undefined) {
    if (frame.base !== root.rev) throw new Error(`Base ${frame.base}, but has ${root.rev}`);
    root.html = applySplices(root.html, frame.splice);
  }
  root.rev = frame.rev ?? root.rev;
  root.title = frame.title ?? root.title;
}
