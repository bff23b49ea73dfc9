import { type Failure, unavailable } from "./failure.ts";
import type { Answer, Requests } from "./requests.ts";
import { readEtag, spell } from "./etag.ts";

/** What was found out about a server. */
export interface S3Probe {
  /** How it wants the etag in `If-Match`: `"quoted"` as HTTP has it, or `"unquoted"`. */
  readonly ifMatch: "quoted" | "unquoted";
  /** Whether it honours `If-Match` on DELETE; if not, a delete with a condition looks first. */
  readonly conditionalDelete: boolean;
}

/** What a probe came to: what was found, or why the server cannot be used. */
export type ProbeResult =
  | { readonly usable: true; readonly probe: S3Probe }
  | { readonly usable: false; readonly why: string };

/** Where a probe writes. */
export interface ProbePlace {
  readonly requests: Requests;
  readonly bucket: string;
  /** A key that nobody else uses. */
  readonly key: string;
}

/** No object has it. */
const NO_ETAG = "0".repeat(32);

/**
 * Finds out by writing whether a server keeps to the conditions of a write, and how it wants them. A
 * server that ignores them answers 200 like one that honours them: only trying tells.
 *
 * @param place Where to write; left empty.
 * @returns What was found.
 * @throws {StorageUnavailableError} If the server could not be asked.
 */
export async function probe(place: ProbePlace): Promise<ProbeResult> {
  try {
    return await probeWrites(place);
  } finally {
    await remove(place, {}).catch(() => {});
  }
}

async function probeWrites(place: ProbePlace): Promise<ProbeResult> {
  const created = await write(place, "1", { IfNoneMatch: "*" });
  if (!created.ok) return refusal(place, created, "If-None-Match");
  const again = await write(place, "2", { IfNoneMatch: "*" });
  if (again.ok) return ignored("If-None-Match");
  if (!isLost(again)) return refusal(place, again, "If-None-Match");

  const stale = await write(place, "3", { IfMatch: spell(NO_ETAG, "quoted") });
  if (stale.ok) return ignored("If-Match");
  if (!isLost(stale)) return refusal(place, stale, "If-Match");
  for (const ifMatch of ["quoted", "unquoted"] as const) {
    const current = await write(place, `4 ${ifMatch}`, { IfMatch: spell(created.output, ifMatch) });
    if (!current.ok && !isLost(current)) return refusal(place, current, "If-Match");
    if (!current.ok) continue;
    const deleted = await remove(place, { IfMatch: spell(NO_ETAG, ifMatch) });
    const conditionalDelete = !deleted.ok && isLost(deleted);
    return { usable: true, probe: { ifMatch, conditionalDelete } };
  }
  return { usable: false, why: "it accepts no etag in If-Match" };
}

function ignored(header: string): ProbeResult {
  return { usable: false, why: `it ignores ${header}, so that two writers could both win` };
}

/** Says that a server does not know a header, or throws because it could not be asked. */
function refusal({ bucket }: ProbePlace, failure: Failure, header: string): ProbeResult {
  const { status, code } = failure;
  if (status === 501) return { usable: false, why: `it does not know ${header} (501 ${code})` };
  throw unavailable("put", bucket, failure, "none");
}

function isLost({ status }: Failure): boolean {
  return status === 412 || status === 409;
}

function write(place: ProbePlace, text: string, condition: object): Promise<Answer<string>> {
  const { requests, bucket, key } = place;
  const input = { Bucket: bucket, Key: key, Body: `holdfast probe ${text}`, ...condition };
  return requests.send("put", input, undefined, readEtag);
}

function remove(place: ProbePlace, condition: object): Promise<Answer<void>> {
  const { requests, bucket, key } = place;
  return requests.send("delete", { Bucket: bucket, Key: key, ...condition }, undefined, () => {});
}
