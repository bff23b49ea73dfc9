/**
 * Where scenarios are played: nodes of the fixture app on one storage, in processes of their own; a
 * proxy each; a browser that all scenarios of a file share, and a cookie jar each.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import { assertEquals, runtime, skip, test } from "../../harness/mod.ts";
import { type ServerProcess, startServer } from "../process.ts";
import { executable, launch } from "./browser.ts";
import { describe, Frames } from "./frames.ts";
import { connected } from "./look.ts";
import { TcpProxy } from "./proxy.ts";

/** Waits of the client are this part of what users have. */
const SCALE = 0.1;

/** A scenario may take so long; most take a second. */
const LIMIT_MS = 90_000;

/** One scenario's part of the stage. */
export interface Scene {
  /** What the pages think the server is. */
  readonly proxy: TcpProxy;
  /** A node: the one of that name if it still runs, else a new one on the same storage. */
  node(name?: string, env?: Readonly<Record<string, string>>): Promise<ServerProcess>;
  /** Another browser, as far as cookies go; each scene has one to begin with. */
  context(options?: BrowserContextOptions): Promise<BrowserContext>;
  /** Opens a page through the proxy, on the scene's own context, and waits until it is connected. */
  open(path: string, context?: BrowserContext): Promise<Page>;
  /** Registers something to run after the scenario. */
  defer(cleanup: () => void | Promise<void>): void;
}

type Act = (scene: Scene) => Promise<void>;

/** What its nodes run, if not the fixture app. */
export interface Play {
  /** Path below the checkout. */
  readonly script: string;
  /** Environment, given the path of a database. */
  env(database: string): Readonly<Record<string, string>>;
  /** Waits until a page can be used. @default {until its live views are connected} */
  readonly ready?: (page: Page) => Promise<void>;
}

/** What the nodes run unless told otherwise. */
export const fixtureApp: Play = {
  script: "test/e2e/app/main.ts",
  env: (database) => ({ STORAGE: `sqlite:${database}`, BACKOFF_SCALE: String(SCALE) }),
};

/** Plays scenarios on a stage that is built for the first and struck after the last of a file. */
export class Stage {
  readonly #folder: string = mkdtempSync(join(tmpdir(), "holdfast-live-"));
  readonly #nodes: Map<string, ServerProcess> = new Map();
  readonly #play: Play;
  readonly #only: typeof runtime | undefined;
  #browser: Promise<Browser> | undefined;
  #waiting = 0;

  /**
   * @param only The runtime of the servers, if what is shown is about pages: they are the same to every
   * server, and time is short.
   */
  constructor(play: Play = fixtureApp, only?: typeof runtime) {
    [this.#play, this.#only] = [play, only];
  }

  /** Registers a scenario; its title begins with the rule and names the scenario's number. */
  scenario(title: string, act: Act, options: { readonly timeoutMs?: number } = {}): void {
    const only = this.#only;
    if (only !== undefined && only !== runtime) {
      return skip(title, `only on ${only}: it is about pages, which are the same to every server`);
    }
    if (executable === undefined) return skip(title, "only on machines with Chromium");
    this.#waiting++;
    test(title, async (t) => {
      const pages: Page[] = [];
      try {
        await act(await this.#scene(t.defer, pages));
      } catch (error) {
        const seen = await Promise.all(pages.map(describe));
        throw new Error(`${error instanceof Error ? error.message : error}\n${seen.join("\n")}`, {
          cause: error,
        });
      } finally {
        t.defer(() => this.#struck());
      }
    }, { timeoutMs: LIMIT_MS, ...options });
  }

  async #scene(defer: Scene["defer"], pages: Page[]): Promise<Scene> {
    const proxy = await new TcpProxy().listen();
    const browser = await (this.#browser ??= launch());
    const { ready = connected } = this.#play;
    let own: Promise<BrowserContext> | undefined;
    const context: Scene["context"] = async (more = {}) => {
      const made = await browser.newContext(more);
      defer(() => made.close());
      return made;
    };
    defer(() => proxy.close());
    return {
      proxy,
      defer,
      context,
      node: (name = "a", env = {}) => this.#node(name, env),
      async open(path, given) {
        const page = await (given ?? await (own ??= context())).newPage();
        pages.push(page);
        Frames.of(page);
        page.setDefaultTimeout(30_000);
        watch(page, defer);
        await page.goto(proxy.url + path);
        await ready(page);
        return page;
      },
    };
  }

  async #node(name: string, env: Readonly<Record<string, string>>): Promise<ServerProcess> {
    const key = JSON.stringify([name, env]);
    const found = this.#nodes.get(key);
    if (found !== undefined) return found;
    const started = await startServer(this.#play.script, {
      NODE_NAME: name,
      ...this.#play.env(join(this.#folder, "app.db")),
      ...env,
    });
    this.#nodes.set(key, started);
    void started.exited.then(() => {
      if (this.#nodes.get(key) === started) this.#nodes.delete(key);
    });
    return started;
  }

  async #struck(): Promise<void> {
    if (--this.#waiting > 0) return;
    await (await this.#browser)?.close();
    await Promise.all([...this.#nodes.values()].map((node) => node.stop()));
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Fails a scenario whose page had an error nobody caught, or did what its policy forbids. */
function watch(page: Page, defer: Scene["defer"]): void {
  const problems: string[] = [];
  page.on("pageerror", (error) => void problems.push(String(error)));
  page.on("console", (message) => {
    if (/content security policy|trusted type/i.test(message.text())) problems.push(message.text());
  });
  defer(() => assertEquals(problems, [], page.url()));
}
