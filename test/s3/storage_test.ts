import { S3Client } from "@aws-sdk/client-s3";
import * as sdk from "@aws-sdk/client-s3";
import { Buffer } from "node:buffer";
import { assert, assertEquals, assertRejects, assertThrows, test } from "../harness/mod.ts";
import {
  type S3ClientLike,
  type S3RequestEvent,
  type S3Sdk,
  s3Storage,
  type S3StorageOptions,
} from "../../adapters/s3/mod.ts";
import { importSdk } from "../../adapters/s3/sdk.ts";
import { StorageUnavailableError } from "../../src/core/errors.ts";
import { openFor, type Place, placeAt, proxyFor, stubFor } from "./fixtures/servers.ts";

test("[SB9] no two objects are alike, also with the same text under the same key", async (t) => {
  const { stub, place } = await stubFor(t);
  const storage = openFor(t, place);
  const bodies = new Set<string>();
  for (let n = 0; n < 10; n++) {
    await storage.put("k", "same");
    bodies.add(String(stub.objects.get("/bucket/k")));
  }
  assertEquals(bodies.size, 10);
  for (const body of bodies) {
    const [head = "", value] = body.split("\n");
    assertEquals(value, "same");
    assertEquals(Object.keys(JSON.parse(head)), ["holdfast", "nonce"]);
  }
});

test("[SB9] an object that others wrote is refused, and can be replaced", async (t) => {
  const { stub, place } = await stubFor(t);
  const storage = openFor(t, place);
  const foreign = ["", "{}", "{}\n", "null\n", '{"holdfast":1}\nx', "no line", "\n{}", "\xff\xfe"];
  for (const text of foreign) {
    stub.objects.set("/bucket/k", Buffer.from(text, "latin1"));
    const error = await assertRejects(() => storage.get("k"), "ERR_CORRUPT_RECORD");
    assert(text === "" || !error.message.includes(text));
    const lost = await storage.put("k", "1", { ifNoneMatch: "*" });
    assert(!lost.ok && lost.found !== null);
    assert((await storage.put("k", "1", { ifMatch: lost.found })).ok);
  }
});

test("[SB9] an object of a newer format is refused as one", async (t) => {
  const { stub, place } = await stubFor(t);
  stub.objects.set("/bucket/k", Buffer.from('{"holdfast":2,"nonce":"n"}\n{}'));
  await assertRejects(() => openFor(t, place).get("k"), /its format is 2/);
});

test("[SB12] storages with different prefixes in one bucket never meet", async (t) => {
  const { stub, place } = await stubFor(t);
  const [one, other] = ["a/", "a/b/"].map((prefix) => openFor(t, { ...place, prefix }));
  await one!.put("k", "1");
  await one!.put("z", "1");
  await other!.put("k", "2");
  assertEquals((await one!.get("k"))?.value, "1");
  assertEquals((await other!.get("k"))?.value, "2");
  assertEquals(await other!.list(""), ["k"]);
  assertEquals(await one!.list("", { after: "b/k" }), ["k", "z"]);
  assertEquals([...stub.objects.keys()].sort(), ["/bucket/a/b/k", "/bucket/a/k", "/bucket/a/z"]);
});

test("[SB12] a prefix is the same place with and without its slash, and no other one is in it", async (t) => {
  const { stub, place } = await stubFor(t);
  const open = (prefix: string) => openFor(t, { ...place, prefix });
  const [bare, slashed, longer] = [open("app"), open("app/"), open("app2")];
  await bare.put("k", "1");
  await longer.put("k", "2");
  assertEquals((await slashed.get("k"))?.value, "1");
  assertEquals([await bare.list(""), await open("ap").list("")], [["k"], []]);
  assertEquals([...stub.objects.keys()].sort(), ["/bucket/app/k", "/bucket/app2/k"]);
  // What is at the top of the bucket stays there.
  assertEquals((await open("").list("")).includes("app/k"), true);
});

test("[SB12] a listing passes over objects that are no keys, and is full nevertheless", async (t) => {
  const { stub, place } = await stubFor(t);
  const storage = openFor(t, place);
  for (const name of ["a b", "a!", "a//b", "a/"]) {
    stub.objects.set(`/bucket/${name}`, Buffer.from(""));
  }
  for (const key of ["a-1", "a-2", "a-3"]) await storage.put(key, "1");
  assertEquals(await storage.list("a", { limit: 2 }), ["a-1", "a-2"]);
  assertEquals(await storage.list("a"), ["a-1", "a-2", "a-3"]);
});

test("[SB12] a key that is too long with its prefix is a TypeError", async (t) => {
  const storage = openFor(t, { ...(await stubFor(t)).place, prefix: "prefix/" });
  const key = "k".repeat(1018);
  for (const call of [storage.get(key), storage.put(key, "1"), storage.delete(key)]) {
    await assertRejects(() => call, (error) => error instanceof TypeError);
  }
  assert((await storage.put("k".repeat(1017), "1")).ok);
});

test("[SB13] every request is told, counted and priced", async (t) => {
  const { proxy, place } = await proxyFor(t);
  const events: S3RequestEvent[] = [];
  const storage = openFor(t, {
    ...place,
    probe: false,
    prices: { classA: 5, classB: 0.5 },
    onRequest: (event) => {
      events.push(event);
      throw new Error("A listener that fails");
    },
  });
  await storage.put("secret-key", "secret-value");
  await storage.get("secret-key");
  await storage.get("absent");
  await storage.put("secret-key", "2", { ifMatch: "e" });
  await storage.list("");
  await storage.delete("secret-key", { ifMatch: "e" });
  await storage.delete("secret-key");
  proxy.plan = () => ({ status: 503, code: "SlowDown" });
  await storage.get("secret-key").catch(() => {});
  proxy.plan = () => "cut-before";
  await storage.get("secret-key").catch(() => {});
  const seen = events.map(({ operation, status, code, costUsd }) =>
    [operation, status, code, costUsd] as const
  );
  assertEquals(seen.slice(0, 8), [
    ["put", 200, undefined, 0.005],
    ["get", 200, undefined, 0.0005],
    ["get", 404, "NoSuchKey", 0.0005],
    ["put", 412, "PreconditionFailed", 0.005],
    ["get", 200, undefined, 0.0005],
    ["list", 200, undefined, 0.005],
    ["head", 200, undefined, 0.0005],
    ["delete", 204, undefined, 0],
  ]);
  assertEquals(seen[8], ["get", 503, "SlowDown", 0]);
  assertEquals([seen[9]?.[0], seen[9]?.[1], seen[9]?.[3]], ["get", undefined, 0]);
  assert(events.every(({ durationMs, attempts }) => durationMs >= 0 && attempts === 1));
  assert(!JSON.stringify(events).includes("secret"));
  const { costUsd, ...counts } = storage.requests;
  assertEquals(counts, { get: 5, head: 1, put: 2, delete: 1, list: 1, failed: 2 });
  assertEquals(Math.round(costUsd * 1e6), 17_000);
});

test("[SB13] prices are those of the endpoint, or none", async (t) => {
  const { place, stub } = await stubFor(t);
  const costAt = async (options: Partial<S3StorageOptions>): Promise<number> => {
    const client = new S3Client({ region: "auto", ...place as object });
    t.defer(() => client.destroy());
    const storage = openFor(t, { bucket: "bucket", client, probe: false, ...options });
    await storage.put("k", "1");
    await storage.get("k");
    return Math.round(storage.requests.costUsd * 1e9);
  };
  assertEquals(await costAt({}), 5400);
  assertEquals(await costAt({ endpoint: "https://a.r2.cloudflarestorage.com" }), 4860);
  assertEquals(await costAt({ endpoint: "https://fly.storage.tigris.dev" }), 5500);
  assertEquals(await costAt({ endpoint: stub.endpoint }), 0);
});

test("[SB14] a client that is handed in is used and not closed", async (t) => {
  const { place } = await stubFor(t);
  let destroyed = 0;
  const sent: string[] = [];
  const inner = new S3Client({ region: "auto", maxAttempts: 1, ...place as object });
  t.defer(() => inner.destroy());
  const client: S3ClientLike = {
    send: (command: object, options) => {
      sent.push(command.constructor.name);
      return inner.send(command as never, options ?? {});
    },
    destroy: () => void destroyed++,
  };
  for (const module of [sdk, Promise.resolve(sdk), undefined]) {
    const options = module === undefined ? {} : { sdk: module as S3Sdk | Promise<S3Sdk> };
    const storage = s3Storage({ bucket: "bucket", client, probe: false, ...options });
    await storage.put("k", "1");
    await storage.close();
  }
  assertEquals(sent, ["PutObjectCommand", "PutObjectCommand", "PutObjectCommand"]);
  assertEquals(destroyed, 0);
});

test("[SB14] what a client tries again by itself is no certain answer", async (t) => {
  const { proxy, place, direct } = await proxyFor(t);
  const client = new S3Client({ region: "auto", maxAttempts: 3, ...place as object });
  t.defer(() => client.destroy());
  const storage = openFor(t, { bucket: "bucket", client, probe: false });
  const rival = openFor(t, direct);
  const first = await storage.put("k", "1");
  assert(first.ok);
  // Carried out, then sent again: the second try finds what the first one wrote.
  const failed = { status: 500, code: "InternalError", carriedOut: true };
  proxy.plan = ({ method, count }) => method === "PUT" && count === 2 ? failed : undefined;
  const second = await storage.put("k", "2", { ifMatch: first.etag });
  assertEquals(second, { ok: true, etag: (await rival.get("k"))!.etag });
  assert(second.ok && (await rival.put("k", "3", { ifMatch: second.etag })).ok);
  proxy.plan = ({ method, count }) =>
    method === "PUT" && count === 4 ? { status: 500, code: "InternalError" } : undefined;
  await assertRejects(
    () => storage.put("k", "4", { ifMatch: second.etag }),
    (error) => error instanceof StorageUnavailableError && error.outcome === "unknown",
  );
  assertEquals(storage.requests.put, 5);
});

test("[SB14] a missing module is refused with how to install it", async (t) => {
  const message = /"@aws-sdk\/no-such" is missing, run "(?:npm install |deno add npm:)@aws-sdk/;
  await assertRejects(() => importSdk("@aws-sdk/no-such"), message);
  const { place } = await stubFor(t);
  const missing = Promise.reject(new StorageUnavailableError("Cannot use it", "none"));
  missing.catch(() => {});
  const storage = openFor(t, { ...place, sdk: missing });
  await assertRejects(() => storage.get("k"), "ERR_STORAGE_UNAVAILABLE");
});

test("[SB15] connections are kept and bounded", async (t) => {
  const { stub, place } = await stubFor(t);
  const storage = openFor(t, { ...place, maxSockets: 4 });
  for (let n = 0; n < 20; n++) {
    await storage.put("k", `${n}`);
    await storage.get("k");
  }
  assertEquals(stub.connections(), 1);
  await Promise.all(Array.from({ length: 100 }, (_, n) => storage.put(`k${n}`, "1")));
  assert(stub.connections() <= 4, `${stub.connections()} connections`);
});

const wrong: readonly (readonly [options: object, what: RegExp])[] = [
  [{ bucket: "" }, /the bucket is not a non-empty string/],
  [{ bucket: 1 }, /the bucket is not a non-empty string/],
  [{ bucket: "b--use1-az4--x-s3" }, /a directory bucket, whose listings are in no order/],
  [{ bucket: "b", prefix: "a b" }, /the prefix is not/],
  [{ bucket: "b", prefix: "p".repeat(1001) }, /the prefix is not/],
  [{ bucket: "b", client: {} }, /the client has no send/],
  [{ bucket: "b", timeoutMs: 0 }, /timeoutMs is not above 0/],
  [{ bucket: "b", maxSockets: 1.5 }, /maxSockets is not an integer of 1 or more/],
  [{ bucket: "b", prices: { classA: -1, classB: 0 } }, /a price is not 0 or more/],
];

test("[SB17] options that make no sense are a TypeError or a RangeError", () => {
  for (const [options, what] of wrong) {
    const error = assertThrows(() => s3Storage(options as S3StorageOptions), what);
    assert(error instanceof TypeError || error instanceof RangeError);
  }
});

test("[SB18] an absent bucket is named as the reason, by every call", async (t) => {
  const { stub } = await stubFor(t);
  const place: Place = { ...placeAt(stub.endpoint), bucket: "elsewhere" };
  const storage = openFor(t, place);
  const calls = [
    () => storage.get("k"),
    () => storage.put("k", "1"),
    () => storage.put("k", "1", { ifNoneMatch: "*" }),
    () => storage.delete("k"),
    () => storage.list(""),
    () => storage.ready(),
  ];
  for (const call of calls) {
    await assertRejects(call, /in bucket "elsewhere": the bucket does not exist/);
  }
});
