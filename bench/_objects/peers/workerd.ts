import { load, numberFrom, type PeerKind } from "./peer.ts";

/** What is used of miniflare. */
interface Module {
  readonly Miniflare: new (options: object) => {
    readonly ready: Promise<URL>;
    dispose(): Promise<void>;
  };
}

// Its output gate holds an answer until the write is on disk, so nothing here has to wait for it.
const script = `
import { DurableObject } from "cloudflare:workers";
export class Counter extends DurableObject {
  #count;
  async read() {
    return this.#count ??= (await this.ctx.storage.get("count")) ?? 0;
  }
  async increment() {
    await this.read();
    this.ctx.storage.put("count", ++this.#count);
    return this.#count;
  }
}
export default {
  async fetch(request, env) {
    const { pathname, searchParams } = new URL(request.url);
    const given = (name) => Number(searchParams.get(name));
    const stub = (n) => env.COUNTER.get(env.COUNTER.idFromName("user-" + n));
    if (pathname === "/increment") return new Response(String(await stub(given("n")).increment()));
    if (pathname === "/read") return new Response(String(await stub(given("n")).read()));
    const [callers, objects] = [given("callers"), given("objects")];
    const stubs = Array.from({ length: objects }, (_, n) => stub(n));
    const end = Date.now() + given("ms");
    let calls = 0;
    await Promise.all(Array.from({ length: callers }, async (_, first) => {
      for (let at = first % objects; Date.now() < end; at = (at + callers) % objects) {
        await stubs[at].increment();
        calls++;
      }
    }));
    return new Response(String(calls));
  },
};`;

/** Durable Objects of Cloudflare's own runtime, on SQLite. */
export const workerd: PeerKind = {
  label: "workerd Durable Object",
  restarts: true,
  open: async (folder) => {
    const { Miniflare } = await load<Module>("miniflare");
    const server = new Miniflare({
      modules: true,
      script,
      compatibilityDate: "2026-04-01",
      durableObjects: { COUNTER: { className: "Counter", useSQLite: true } },
      durableObjectsPersist: folder,
    });
    const url = String(await server.ready);
    return {
      increment: (n) => numberFrom(`${url}increment?n=${n}`),
      read: (n) => numberFrom(`${url}read?n=${n}`),
      inside: ({ callers, objects }, ms) =>
        numberFrom(`${url}run?callers=${callers}&objects=${objects}&ms=${ms}`),
      close: () => server.dispose(),
    };
  },
};
