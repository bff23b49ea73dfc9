import { wrongArgument } from "../../src/core/options.ts";
import { StorageUnavailableError } from "../../src/core/errors.ts";

/** A message as the client hands it over. */
export interface NatsMessage {
  readonly subject: string;
  readonly data: Uint8Array;
  respond(payload?: string): boolean;
}

/** The part of a connection of `@nats-io/nats-core` that is needed here. */
export interface NatsConnection {
  /** What the server has said of itself. */
  readonly info?: { readonly max_payload: number } | undefined;
  publish(subject: string, payload?: string): void;
  subscribe(
    subject: string,
    options: { callback: (error: Error | null, message: NatsMessage) => void },
  ): { unsubscribe(): void; drain(): Promise<void> };
  request(
    subject: string,
    payload: string,
    options: { timeout: number },
  ): Promise<NatsMessage>;
  flush(): Promise<void>;
  status(): AsyncIterable<{ readonly type: string }>;
  isClosed(): boolean;
  close(): Promise<void>;
}

/** Where NATS is: exactly one of the three. */
export interface NatsTarget {
  /** A connection, which stays yours to close. Have it reconnect without end. */
  readonly connection?: NatsConnection;
  /**
   * Makes a connection, which is closed here: with `connect` of `@nats-io/transport-node` or of
   * `@nats-io/transport-deno`, or `wsconnect` of `@nats-io/nats-core`.
   */
  readonly connect?: () => Promise<NatsConnection>;
  /** Where the servers are, `nats://host:4222`; connects with the package `@nats-io/transport-node`. */
  readonly servers?: string | readonly string[];
  /** Further options for the client with `servers`: authentication, TLS, timeouts. */
  readonly clientOptions?: Readonly<Record<string, unknown>>;
}

// The client's own takes a byte order mark for no part of the text.
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Reads text as it was sent. */
export function decodeText(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/** Loads a module by name; a parameter, so that what happens without the package can be tested. */
export type LoadModule = (name: string) => Promise<unknown>;

/** Refuses options that name no place, or several. */
export function checkTarget(what: string, target: NatsTarget): void {
  const { connection, connect, servers } = target;
  const given = [connection, connect, servers].filter((way) => way !== undefined);
  if (given.length !== 1) {
    throw wrongArgument(
      `Cannot make the ${what}: give one of "connection", "connect" and "servers"`,
    );
  }
}

/** Connects; tells whether the connection is ours to close. */
export async function openNats(
  target: NatsTarget,
  load: LoadModule = (name) => import(name),
): Promise<{ readonly connection: NatsConnection; readonly own: boolean }> {
  if (target.connection !== undefined) return { connection: target.connection, own: false };
  if (target.connect !== undefined) return { connection: await target.connect(), own: true };
  const connect = await findConnect(load);
  const servers = target.servers;
  const connection = await connect({
    servers: typeof servers === "string" ? servers : [...servers ?? []],
    maxReconnectAttempts: -1,
    reconnectTimeWait: 250,
    reconnectJitter: 100,
    // A connection on which nothing passes any more is noticed after three of them.
    pingInterval: 1000,
    maxPingOut: 3,
    // Else each request makes an error with a trace, for the case that it fails: a fifth of what it costs.
    noAsyncTraces: true,
    ...target.clientOptions,
  });
  return { connection, own: true };
}

async function findConnect(
  load: LoadModule,
): Promise<(options: Readonly<Record<string, unknown>>) => Promise<NatsConnection>> {
  try {
    const module = await load("@nats-io/transport-node") as {
      readonly connect: (options: Readonly<Record<string, unknown>>) => Promise<NatsConnection>;
    };
    return module.connect;
  } catch (cause) {
    throw new StorageUnavailableError(
      'Cannot connect to NATS: the package "@nats-io/transport-node" is not installed; add it ' +
        '(npm install @nats-io/transport-node), or pass "connect" or "connection"',
      "none",
      { cause },
    );
  }
}
