import { StorageUnavailableError } from "../../src/core/errors.ts";

/** What is used of a client of `@aws-sdk/client-s3`. */
export interface S3ClientLike {
  /** Sends a command; rejects with an error that has `$metadata` if the server refused it. */
  send(command: never, options?: { abortSignal?: AbortSignal }): Promise<unknown>;
  /** Closes its connections. */
  destroy?(): void;
}

/** What is used of the module `@aws-sdk/client-s3`. */
export interface S3Sdk {
  /** Makes a client. */
  readonly S3Client: new (config: never) => S3ClientLike;
  /** Makes the command that reads an object. */
  readonly GetObjectCommand: new (input: never) => object;
  /** Makes the command that looks at an object. */
  readonly HeadObjectCommand: new (input: never) => object;
  /** Makes the command that writes an object. */
  readonly PutObjectCommand: new (input: never) => object;
  /** Makes the command that deletes an object. */
  readonly DeleteObjectCommand: new (input: never) => object;
  /** Makes the command that lists a bucket. */
  readonly ListObjectsV2Command: new (input: never) => object;
}

/** Keys of an account. */
export interface S3Credentials {
  /** Names the key. */
  readonly accessKeyId: string;
  /** The key. */
  readonly secretAccessKey: string;
  /** Of temporary keys. */
  readonly sessionToken?: string;
}

/** Where a client finds its server, and how it connects. */
export interface S3ClientOptions {
  /**
   * The region: `"eu-central-1"` on AWS, `"auto"` on R2 and Tigris.
   * @default what the SDK finds in the environment; "us-east-1" with an endpoint
   */
  readonly region?: string;
  /** Address of a server other than AWS: `"https://<account>.r2.cloudflarestorage.com"`. */
  readonly endpoint?: string;
  /** Puts the bucket into the path of the address, as MinIO and Ceph have it. @default {false} */
  readonly forcePathStyle?: boolean;
  /** Keys, or where they come from. @default what the SDK finds in the environment */
  readonly credentials?: S3Credentials | (() => Promise<S3Credentials>);
  /** Connections that are kept open, 1 or more; more requests wait for one. @default {128} */
  readonly maxSockets?: number;
}

/**
 * Loads the module on first use, so that only those who use it need to have it.
 *
 * @param name Not a literal where it is imported: who stores elsewhere need not have it.
 * @throws {StorageUnavailableError} If it is missing. The message says how to install it.
 */
export async function importSdk(name = "@aws-sdk/client-s3"): Promise<S3Sdk> {
  try {
    return await import(name);
  } catch (cause) {
    const command = "Deno" in globalThis ? `deno add npm:${name}` : `npm install ${name}`;
    const message = `Cannot use the S3 storage: "${name}" is missing, run "${command}"`;
    throw new StorageUnavailableError(message, "none", { cause });
  }
}

/** Makes a client that sends each command once. */
export async function makeClient(sdk: S3Sdk, options: S3ClientOptions): Promise<S3ClientLike> {
  const { endpoint, forcePathStyle, credentials, maxSockets = 128 } = options;
  const region = options.region ?? (endpoint === undefined ? undefined : "us-east-1");
  const config = {
    ...(region !== undefined && { region }),
    ...(endpoint !== undefined && { endpoint }),
    ...(forcePathStyle !== undefined && { forcePathStyle }),
    // A copy: the SDK notes in the object where it came from.
    ...(credentials !== undefined && {
      credentials: typeof credentials === "function" ? credentials : { ...credentials },
    }),
    // A second try inside of the SDK would hide whether the first one was carried out.
    maxAttempts: 1,
    // Servers other than AWS refuse the SDK's own checksums; each request is signed with a SHA-256.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    // The SDK's default of 50 connections queues a burst; it would say so on the console.
    requestHandler: { ...(await makeAgents(maxSockets)), logger: silent },
  };
  return new sdk.S3Client(config as never);
}

/** The part of an agent of `node:http` that is changed. */
interface Agent {
  /** Is called when a request gets a connection that was used before. */
  reuseSocket(socket: never, request: { reusedSocket?: boolean }): void;
}

/**
 * How connections are kept. Deno sends a request again when a connection breaks that was used before
 * (denoland/deno#31932), also a request that was carried out, and knows such a connection by a mark
 * on the request. Node and Bun send once.
 */
async function makeAgents(maxSockets: number): Promise<object> {
  const options = { keepAlive: true, maxSockets };
  if (!("Deno" in globalThis)) return { httpAgent: options, httpsAgent: options };
  const [http, https] = await Promise.all([import("node:http"), import("node:https")]);
  return {
    httpAgent: sendingOnce(new http.Agent(options) as unknown as Agent),
    httpsAgent: sendingOnce(new https.Agent(options) as unknown as Agent),
  };
}

function sendingOnce(agent: Agent): Agent {
  const reuse = agent.reuseSocket.bind(agent);
  agent.reuseSocket = (socket, request) => {
    reuse(socket, request);
    request.reusedSocket = false;
  };
  return agent;
}

const nothing = (): void => {};

const silent = { debug: nothing, info: nothing, warn: nothing, error: nothing };
