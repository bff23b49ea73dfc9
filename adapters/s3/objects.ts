import { decodeBody, type S3Body } from "./body.ts";
import { readEtag } from "./etag.ts";
import { isAbsent, unavailable } from "./failure.ts";
import type { Answer, Requests } from "./requests.ts";

/** An object as it was read. */
export interface S3Object {
  readonly etag: string;
  readonly bytes: Uint8Array;
}

interface GetOutput {
  readonly ETag?: string;
  readonly ContentLength?: number;
  readonly Body?: { transformToByteArray(): Promise<Uint8Array> };
}

interface ListOutput {
  readonly Contents?: readonly { readonly Key?: string }[];
  readonly IsTruncated?: boolean;
}

/** A part of a listing. */
export interface Page {
  readonly names: readonly string[];
  /** Whether this is the end. */
  readonly last: boolean;
}

/** What the storage asks a bucket for, as requests. */
export class Objects {
  readonly #requests: Requests;
  readonly #bucket: string;

  constructor(requests: Requests, bucket: string) {
    this.#requests = requests;
    this.#bucket = bucket;
  }

  /** Reads an object; `undefined` if absent. */
  async read(name: string, signal?: AbortSignal): Promise<S3Object | undefined> {
    const answer = await this.#requests.send("get", this.#input(name), signal, readObject);
    if (answer.ok) return answer.output;
    if (isAbsent(answer)) return undefined;
    throw unavailable("get", this.#bucket, answer, "none");
  }

  /** Looks for an object; answers its etag, `null` if absent. */
  async look(name: string, signal?: AbortSignal): Promise<string | null> {
    const answer = await this.#requests.send("head", this.#input(name), signal, readEtag);
    if (answer.ok) return answer.output;
    if (isAbsent(answer)) return null;
    throw unavailable("head", this.#bucket, answer, "none");
  }

  /** Writes an object; answers its etag. */
  write(
    name: string,
    body: string,
    condition: object,
    signal?: AbortSignal,
  ): Promise<Answer<string>> {
    const type = { ContentType: "text/plain; charset=utf-8" };
    const input = { ...this.#input(name), ...type, Body: body, ...condition };
    return this.#requests.send("put", input, signal, readEtag);
  }

  /** Deletes an object. */
  remove(name: string, condition: object, signal?: AbortSignal): Promise<Answer<void>> {
    const input = { ...this.#input(name), ...condition };
    return this.#requests.send("delete", input, signal, () => {});
  }

  /** Lists the names that begin with a prefix and come after another, in order. */
  async page(prefix: string, after: string, limit: number, signal?: AbortSignal): Promise<Page> {
    const input = { Bucket: this.#bucket, Prefix: prefix, StartAfter: after, MaxKeys: limit };
    const answer = await this.#requests.send("list", input, signal, readPage);
    if (answer.ok) return answer.output;
    throw unavailable("list", this.#bucket, answer, "none");
  }

  #input(name: string): { readonly Bucket: string; readonly Key: string } {
    return { Bucket: this.#bucket, Key: name };
  }
}

async function readObject(output: GetOutput): Promise<S3Object> {
  const etag = readEtag(output);
  const bytes = await output.Body?.transformToByteArray() ?? new Uint8Array();
  const expected = output.ContentLength;
  // A connection that breaks in the middle is the end of the body to some runtimes.
  if (expected !== undefined && bytes.length !== expected) {
    throw new Error("The answer was cut short");
  }
  return { etag, bytes };
}

function readPage({ Contents = [], IsTruncated = false }: ListOutput): Page {
  return { names: Contents.flatMap(({ Key }) => Key ?? []), last: !IsTruncated };
}

/** Tells whether an object is what one certain write wrote. */
export function isBy(nonce: string, object: S3Object | undefined): boolean {
  return object !== undefined && bodyOf(object)?.nonce === nonce;
}

function bodyOf({ bytes }: S3Object): S3Body | undefined {
  try {
    return decodeBody(bytes);
  } catch {
    return undefined;
  }
}
