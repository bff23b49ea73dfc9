import { assert, assertEquals, skip, test } from "../harness/mod.ts";
import { noCeph } from "../s3/fixtures/ceph.ts";
import { cephFor, type Place, stubFor } from "../s3/fixtures/servers.ts";
import type { Outcome } from "./fixtures/suite.ts";
import { noWorkerd, start, type WorkerdOptions } from "./fixtures/workerd.ts";

function envOf(place: Place, secret: string, probe = false): NonNullable<WorkerdOptions["env"]> {
  const { bucket, endpoint = "", region = "us-east-1", credentials } = place;
  return {
    BUCKET: bucket,
    CREDENTIALS: JSON.stringify(credentials),
    ENDPOINT: endpoint,
    PROBE: String(probe),
    REGION: region,
    SECRET: secret,
  };
}

/** A browser with one cookie. */
function browser(): (url: string, method?: string) => Promise<unknown> {
  let cookie = "";
  return async (url, method = "GET") => {
    const response = await fetch(url, { method, headers: { cookie } });
    cookie = response.headers.get("set-cookie")?.split(";")[0] ?? cookie;
    const text = await response.text();
    if (response.status !== 200) throw new Error(`${response.status} ${text}`);
    return text.startsWith("[") ? JSON.parse(text) : text;
  };
}

function newSecret(): string {
  return btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(32))));
}

if (noWorkerd === undefined) {
  test("[WK1] on workerd a session is there after a kill, with any flags", async (t) => {
    const place = noCeph === undefined ? await cephFor(t) : (await stubFor(t)).place;
    const ask = browser();
    const env = envOf(place, newSecret(), noCeph === undefined);
    const first = await start(t, "cart.ts", { env });
    assertEquals(await ask(`${first.url}/cart/kelp`, "POST"), "stored");
    assertEquals(await ask(`${first.url}/cart`), ["kelp"]);
    await first.kill();
    const second = await start(t, "cart.ts", { env, compatibilityFlags: ["nodejs_compat"] });
    assertEquals(await ask(`${second.url}/cart`), ["kelp"]);
    assertEquals(await ask(`${second.url}/cart/dulse`, "POST"), "stored");
    assertEquals(await ask(`${second.url}/cart`), ["kelp", "dulse"]);
  });

  test("[WK2] two workers that write one session at once store each change once", async (t) => {
    const { place } = await stubFor(t);
    const env = envOf(place, newSecret());
    const workers = await Promise.all([start(t, "cart.ts", { env }), start(t, "cart.ts", { env })]);
    const ask = browser();
    await ask(`${workers[0]?.url}/cart/first`, "POST");
    const items = workers.map((_, w) => Array.from({ length: 8 }, (_, n) => `${w}-${n}`));
    await Promise.all(workers.map(async ({ url }, w) => {
      for (const item of items[w] ?? []) await ask(`${url}/cart/${item}`, "POST");
    }));
    const cart = await ask(`${workers[1]?.url}/cart`) as string[];
    assertEquals(cart.sort(), ["first", ...items.flat()].sort());
  });

  test("[WK4] an alarm that one request sets is fired by another, once", async (t) => {
    const { place } = await stubFor(t);
    const { url } = await start(t, "cart.ts", { env: envOf(place, newSecret()) });
    const ask = browser();
    assertEquals(await ask(`${url}/bell`, "POST"), "set");
    assertEquals(await ask(`${url}/tick`, "POST"), "ticked");
    assertEquals(await ask(`${url}/tick`, "POST"), "ticked");
    assertEquals(await ask(`${url}/bell`), "1");
  });

  test("[WK3] the storage contract holds inside of workerd", async (t) => {
    const { place } = await stubFor(t);
    const worker = await start(t, "s3_suite.ts", {
      env: { PLACE: JSON.stringify(place) },
      compatibilityFlags: ["nodejs_compat"],
    });
    const outcomes: readonly Outcome[] = await (await fetch(worker.url)).json();
    assert(outcomes.length > 30, `only ${outcomes.length} rules were tried`);
    assertEquals(outcomes.filter(({ error }) => error !== undefined), []);
  }, { timeoutMs: 90_000 });
} else {
  skip("[WK1] on workerd a session is there after a kill", noWorkerd);
  skip("[WK2] two workers that write one session at once store each change once", noWorkerd);
  skip("[WK4] an alarm that one request sets is fired by another, once", noWorkerd);
  skip("[WK3] the storage contract holds inside of workerd", noWorkerd);
}
