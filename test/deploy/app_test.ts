import http from "node:http";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { probes, readSettings } from "../../examples/deploy/config.ts";
import { Jar } from "../e2e/jar.ts";
import { type ServerProcess, startServer } from "../e2e/process.ts";
import {
  assert,
  assertEquals,
  assertThrows,
  skip,
  test,
  type TestContext,
} from "../harness/mod.ts";
import { freePort } from "../harness/port.ts";
import { noNats, startNats } from "../nats/fixtures/server.ts";

const secret = "a-secret-of-the-tests-as-long-as-it-has-to-be";

function folderFor(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-deploy-"));
  t.defer(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Starts the application on a folder of its own. */
async function start(t: TestContext, env: Record<string, string> = {}): Promise<ServerProcess> {
  const server = await startServer("examples/deploy/main.ts", {
    HOST: "",
    NODE_ENV: "",
    NATS_URL: "",
    PORT: "0",
    STORAGE: "sqlite",
    DATA_DIR: folderFor(t),
    SECRETS: secret,
    ...env,
  });
  t.defer(() => server.stop());
  return server;
}

/** A page as it is where sockets are blocked: it listens to events, and posts. */
class Page {
  readonly #url: string;
  readonly #jar: Jar = new Jar();
  #heard = "";
  #wake: () => void = () => {};

  constructor(url: string) {
    this.#url = url;
  }

  /** Loads the page, and connects its view. */
  async join(t: TestContext): Promise<void> {
    const { body } = await this.#jar.get(`${this.#url}/`);
    const token = /data-live-token="([^"]+)"/.exec(body)?.[1] ?? "";
    const headers = { cookie: this.#jar.header };
    const request = http.get(`${this.#url}/live/sse`, { headers }, (response) => {
      response.on("error", () => {});
      response.setEncoding("utf8").on("data", (text: string) => {
        this.#heard += text;
        this.#wake();
      });
    });
    request.on("error", () => {});
    t.defer(() => void request.destroy());
    await this.hears("event: open\ndata: ");
    const first = { mounts: 0, attempts: 0, nav: "navigate" };
    const join = { t: "join", id: "live-board", ref: 1, v: 1, token, url: "/", ...first };
    assertEquals(await this.post(join), 204);
    await this.hears('"t":"joined"');
  }

  /** Waits for a part of what the server tells. */
  async hears(part: string): Promise<void> {
    while (!this.#heard.includes(part)) {
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  /** Sends a frame; returns the status of the answer. */
  post(frame: object): Promise<number> {
    const headers = {
      cookie: this.#jar.header,
      origin: this.#url,
      "content-type": "application/json",
      "x-live-connection": /event: open\ndata: (.*)\n/.exec(this.#heard)?.[1] ?? "",
    };
    return new Promise((resolve, reject) => {
      const options = { method: "POST", headers, agent: false } as const;
      const request = http.request(`${this.#url}/live/send`, options, (response) => {
        response.resume().on("end", () => resolve(response.statusCode ?? 0));
      });
      request.on("error", reject);
      request.end(JSON.stringify([frame]));
    });
  }
}

test("[DP1] probes need no session, and a SIGTERM makes it unready, lets pages go and ends with code 0", async (t) => {
  const server = await start(t);
  const ask = async (path: string) => {
    const { status, headers, body } = await new Jar().get(`${server.url}${path}`);
    assertEquals(headers["set-cookie"], undefined);
    return [status, JSON.parse(body)];
  };
  assertEquals(await ask(probes.alive), [200, { status: "alive" }]);
  assertEquals(await ask(probes.ready), [200, { status: "ready", failing: [] }]);
  const page = new Page(server.url);
  await page.join(t);
  server.kill("SIGTERM");
  await page.hears('"t":"drain"');
  assertEquals(await ask(probes.ready), [503, { status: "draining", failing: [] }]);
  assertEquals(await ask(probes.alive), [200, { status: "alive" }]);
  assertEquals(await page.post({ t: "drained" }), 204);
  assertEquals(await server.exited, { code: 0, signal: null }, server.output());
});

test("[DP1] a SIGUSR2 makes it unready some time before, and it goes on", async (t) => {
  const server = await start(t);
  const status = async (path: string) => (await new Jar().get(server.url + path)).status;
  process.kill(server.pid, "SIGUSR2");
  while (await status(probes.ready) === 200);
  assertEquals([await status(probes.ready), await status(probes.alive), await status("/")], [
    503,
    200,
    200,
  ]);
  server.kill("SIGTERM");
  assertEquals(await server.exited, { code: 0, signal: null }, server.output());
});

test("[DP2] a variable can be in a file, and what is missing or wrong is named", (t) => {
  const folder = folderFor(t);
  const file = join(folder, "secrets");
  writeFileSync(file, `${secret}\nthe-one-before\n`);
  const env = { STORAGE: "sqlite", DATA_DIR: folder, SECRETS_FILE: file };
  assertEquals(readSettings(env), {
    hostname: "127.0.0.1",
    port: 3000,
    production: false,
    secrets: [secret, "the-one-before"],
    store: { kind: "sqlite", path: join(folder, "board.db") },
  });
  const wrong = (part: RegExp, more: Record<string, string>) =>
    assertThrows(() => readSettings({ ...env, ...more }), part);
  wrong(/STORAGE is not/, { STORAGE: "" });
  wrong(/PORT is not/, { PORT: "none" });
  wrong(/SECRETS nor SECRETS_FILE/, { SECRETS_FILE: "" });
  wrong(/DATA_DIR/, { DATA_DIR: "" });
  wrong(/DATABASE_URL/, { STORAGE: "postgres" });
  wrong(/BUCKET_NAME/, { STORAGE: "s3" });
  wrong(/NATS_PASSWORD/, { NATS_URL: "nats://127.0.0.1", NATS_USER: "board" });
});

test("[DP2] a process that lacks something does not start", async (t) => {
  const started = start(t, { STORAGE: "" }).then(() => "", ({ message }: Error) => message);
  assert((await started).includes("STORAGE is not sqlite, postgres or s3"), await started);
});

const together = "[DP3] with NATS it joins the others, and works alone until they can be reached";
if (noNats !== undefined) skip(together, noNats);
else {
  test(together, async (t) => {
    const port = await freePort();
    const server = await start(t, { NATS_URL: `nats://127.0.0.1:${port}` });
    const failing = async () =>
      JSON.parse((await new Jar().get(`${server.url}/readyz`)).body).failing;
    assertEquals(await failing(), ["cluster"]);
    const nats = await startNats(port);
    t.defer(() => nats.dispose());
    while ((await failing()).length > 0);
    server.kill("SIGTERM");
    assertEquals(await server.exited, { code: 0, signal: null }, server.output());
  });
}
