import { encodeBase64url } from "../../src/core/base64url.ts";
import type { PutResult, Storage } from "../../src/ports/storage.ts";
import { webRandom } from "../web/random.ts";
import type { Finding } from "./checks.ts";

/** Writers that race for one key. */
const WRITERS = 8;

/** Writes whose time is taken. */
const TIMED = 9;

/** Milliseconds of a commit from which on it matters that other requests wait for it, too. */
const SLOW_COMMIT_MS = 5;

/**
 * Tries out what the port promises, under a key that nobody else has, and cleans up.
 *
 * @param readOnly Only reads a key that is not there.
 * @param blocks The thread waits for its disk, as it does for SQLite.
 * @throws Whatever the storage fails with.
 */
export async function probeStorage(
  storage: Storage,
  readOnly: boolean,
  blocks: boolean,
): Promise<readonly Finding[]> {
  const key = `holdfast-doctor/${encodeBase64url(webRandom().bytes(12))}`;
  const name = "storage";
  if (await storage.get(key) !== undefined) {
    return [{ name, level: "problem", message: "it has a record under a key nobody wrote" }];
  }
  if (readOnly) return [{ name, level: "ok", message: "can be read" }];
  try {
    const problem = await probeWrites(storage, key);
    if (problem !== undefined) return [{ name, level: "problem", message: problem }];
    return [
      { name, level: "ok", message: "conditional writes, deletes and lists are as promised" },
      paceOf(await timeWrites(storage, key), blocks),
    ];
  } finally {
    await storage.delete(key).catch(() => {});
  }
}

/** What a storage does that it must not; `undefined` for nothing. */
async function probeWrites(storage: Storage, key: string): Promise<string | undefined> {
  const created = await race(storage, key, { ifNoneMatch: "*" });
  if (created.length !== 1) return lostRace("ifNoneMatch", created.length);
  const [first] = created;
  if (first?.ok !== true) return lostRace("ifNoneMatch", 0);
  const replaced = await race(storage, key, { ifMatch: first.etag });
  const [second] = replaced;
  if (replaced.length !== 1 || second?.ok !== true) return lostRace("ifMatch", replaced.length);
  if (second.etag === first.etag) return "two versions of a key have the same etag";
  if ((await storage.get(key))?.etag !== second.etag) return "a read does not see the last write";
  if ((await storage.put(key, "stale", { ifMatch: first.etag })).ok) {
    return "a write over a stale version is accepted, so that updates would be lost";
  }
  if (!(await storage.list("holdfast-doctor/")).includes(key)) return "a list lacks a key";
  if ((await storage.delete(key, { ifMatch: first.etag })).ok) {
    return "a delete of a stale version is accepted";
  }
  if (!(await storage.delete(key, { ifMatch: second.etag })).ok) {
    return "a delete of the current version is refused";
  }
  return await storage.get(key) === undefined ? undefined : "a deleted record can be read";
}

/** How long each of some writes takes, one after the other, in ms. */
async function timeWrites(storage: Storage, key: string): Promise<readonly number[]> {
  const times: number[] = [];
  for (let n = 0; n < TIMED; n++) {
    const began = performance.now();
    await storage.put(key, `${n}`);
    times.push(performance.now() - began);
  }
  return times;
}

/**
 * Says how long a write takes.
 *
 * @param times Of some writes, in ms.
 * @param blocks The thread waits for its disk.
 */
export function paceOf(times: readonly number[], blocks: boolean): Finding {
  const median = times.toSorted((a, b) => a - b)[times.length >> 1] ?? NaN;
  // As a number again: toPrecision() alone says 1.2e+2.
  const ms = Number(median.toPrecision(2));
  const message = `a write is durable after ${ms} ms (the median of ${times.length})`;
  const name = "pace";
  if (!blocks || median < SLOW_COMMIT_MS) return { name, level: "ok", message };
  const why =
    "SQLite keeps the thread so long, and every other request of the process waits with it; " +
    "a local disk, or Postgres, does not";
  return { name, level: "warning", message: `${message}: ${why}` };
}

async function race(
  storage: Storage,
  key: string,
  condition: { readonly ifNoneMatch: "*" } | { readonly ifMatch: string },
): Promise<readonly PutResult[]> {
  const writers = Array.from(
    { length: WRITERS },
    (_, i) => storage.put(key, `${Object.keys(condition)[0]} ${i}`, condition),
  );
  return (await Promise.all(writers)).filter(({ ok }) => ok);
}

function lostRace(condition: string, winners: number): string {
  return `of ${WRITERS} writers with the same ${condition} ${winners} have won: it has to be one`;
}
