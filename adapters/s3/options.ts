import type { Clock } from "../../src/ports/clock.ts";
import type { Random } from "../../src/ports/random.ts";
import { webClock } from "../web/clock.ts";
import { webRandom } from "../web/random.ts";
import { pricesAt, type S3Prices } from "./prices.ts";
import type { S3RequestEvent } from "./requests.ts";
import type { S3ClientLike, S3ClientOptions, S3Sdk } from "./sdk.ts";
import { checkKnown, type OptionNames, outOfRange, wrongArgument } from "../../src/core/options.ts";

/** Options of {@linkcode s3Storage}. */
export interface S3StorageOptions extends S3ClientOptions {
  /** Name of the bucket; it must exist. */
  readonly bucket: string;
  /**
   * What every key begins with: `"prod/"`, and the same without its slash. Characters of
   * `[A-Za-z0-9_.~=/-]`, and with the key at most 1024.
   * @default {""}
   */
  readonly prefix?: string;
  /**
   * A client to use instead of one made from the options; it is not closed. Give it
   * `maxAttempts: 1`: tries of its own make more writes end with an unknown outcome. On Deno a
   * request is sent again when a connection breaks that was used before, unless an agent of the
   * client sets `request.reusedSocket` to `false` in its `reuseSocket()`, as the default ones do.
   */
  readonly client?: S3ClientLike;
  /**
   * The module `@aws-sdk/client-s3`, for bundlers, which cannot follow the import.
   * @default {import("@aws-sdk/client-s3")}
   */
  readonly sdk?: S3Sdk | Promise<S3Sdk>;
  /**
   * Tries out before the first conditional write whether the server keeps to conditions. `false`
   * saves six or seven requests and takes it for granted, as AWS and R2 have it.
   * @default {true}
   */
  readonly probe?: boolean;
  /** Longest wait for one answer, in milliseconds, above 0. @default {10000} */
  readonly timeoutMs?: number;
  /** What requests cost. @default what AWS, R2 or Tigris publish, told by the endpoint; else 0 */
  readonly prices?: S3Prices;
  /** Is told about every request. What it throws is ignored. */
  readonly onRequest?: (event: S3RequestEvent) => void;
  /** Where waiting happens. @default the runtime's clock */
  readonly clock?: Clock;
  /** Where nonces and jitter come from. @default the runtime's secure source */
  readonly random?: Random;
}

const optionNames: OptionNames<S3StorageOptions> = {
  bucket: true,
  prefix: true,
  client: true,
  sdk: true,
  probe: "a boolean",
  timeoutMs: true,
  prices: true,
  onRequest: "a function",
  clock: ".now",
  random: ".bytes",
  region: "a string",
  endpoint: "a string",
  forcePathStyle: "a boolean",
  credentials: true,
  maxSockets: true,
};

/** Checked options. */
export interface S3Settings {
  readonly bucket: string;
  readonly prefix: string;
  readonly client: S3ClientLike | undefined;
  readonly clientOptions: S3ClientOptions;
  readonly sdk: S3Sdk | Promise<S3Sdk> | undefined;
  readonly probe: boolean;
  readonly timeoutMs: number;
  readonly prices: S3Prices;
  readonly onRequest: ((event: S3RequestEvent) => void) | undefined;
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * Checks options and fills in the defaults.
 *
 * @throws {TypeError} If the bucket, the prefix or the client makes no sense.
 * @throws {RangeError} If a number is out of range.
 */
export function checkOptions(options: S3StorageOptions): S3Settings {
  checkKnown(options, optionNames, "make the S3 storage");
  const { bucket, prefix = "", client, timeoutMs = 10_000, maxSockets = 128 } = options;
  checkBucket(bucket);
  if (typeof prefix !== "string" || !/^[A-Za-z0-9_.~=/-]{0,1000}$/.test(prefix)) {
    throw wrong("the prefix is not at most 1000 of the characters of a key");
  }
  if (client !== undefined && typeof client?.send !== "function") {
    throw wrong("the client has no send()");
  }
  if (!(timeoutMs > 0)) throw tooFar("timeoutMs is not above 0");
  if (!Number.isInteger(maxSockets) || maxSockets < 1) {
    throw tooFar("maxSockets is not an integer of 1 or more");
  }
  return {
    bucket,
    // Without it another place could begin with the name of this one.
    prefix: prefix === "" || prefix.endsWith("/") ? prefix : `${prefix}/`,
    client,
    clientOptions: options,
    sdk: options.sdk,
    probe: options.probe ?? true,
    timeoutMs,
    prices: checkPrices(options.prices ?? pricesAt(options.endpoint)),
    onRequest: options.onRequest,
    clock: options.clock ?? webClock(),
    random: options.random ?? webRandom(),
  };
}

function checkBucket(bucket: unknown): void {
  if (typeof bucket !== "string" || bucket === "") {
    throw wrong("the bucket is not a non-empty string");
  }
  if (bucket.endsWith("--x-s3")) {
    throw wrong("it is a directory bucket, whose listings are in no order");
  }
}

function checkPrices(prices: S3Prices): S3Prices {
  if (!(prices.classA >= 0 && prices.classB >= 0)) throw tooFar("a price is not 0 or more");
  return prices;
}

function wrong(why: string): TypeError {
  return wrongArgument(`Cannot make the S3 storage: ${why}`);
}

function tooFar(why: string): RangeError {
  return outOfRange(`Cannot make the S3 storage: ${why}`);
}
