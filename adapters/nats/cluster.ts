import type { Clock } from "../../src/ports/clock.ts";
import type {
  Cluster,
  ClusterLink,
  ClusterReceiver,
  ClusterReply,
} from "../../src/ports/cluster.ts";
import { webClock } from "../web/clock.ts";
import {
  checkTarget,
  decodeText,
  type NatsConnection,
  type NatsTarget,
  openNats,
} from "./connect.ts";
import { checkKnown, type OptionNames, wrongArgument } from "../../src/core/options.ts";

/** Options of {@linkcode natsCluster}: where NATS is, and under which subjects nodes meet. */
export interface NatsClusterOptions extends NatsTarget {
  /** Name of the application: nodes with the same one find each other. @default {"app"} */
  readonly name?: string;
  /** What all subjects begin with: tokens of `A-Z a-z 0-9 _ -`, with dots. @default {"holdfast"} */
  readonly subjectPrefix?: string;
  /** Told when connecting fails; it is tried again all the same. */
  readonly onError?: (error: unknown) => void;
  /** Where waiting happens. @default the runtime's clock */
  readonly clock?: Clock;
}

/** Before another try to connect: doubling from the first to the second. */
const retryMs = [250, 2000] as const;

/** Kept free of a message for headers and subject. */
const reservedBytes = 1024;

const optionNames: OptionNames<NatsClusterOptions> = {
  connection: true,
  connect: "a function",
  servers: true,
  clientOptions: "an object",
  name: "a string",
  subjectPrefix: "a string",
  onError: "a function",
  clock: ".now",
};

/**
 * Makes a cluster of nodes that talk over NATS: requests for forwarded calls, and broadcasts. It needs
 * no JetStream and keeps nothing. While NATS cannot be reached nodes work by themselves, and try to
 * connect again without end.
 *
 * A node listens on `<prefix>.<name>.node.<its address>` and on `<prefix>.<name>.all.*`, and publishes
 * there and to inboxes: grant it that, and nobody else, for whoever may publish there may call every
 * handler of every object.
 *
 * @param options Where NATS is: `servers`, `connect` or `connection`.
 * @returns The cluster, for `createHoldfast`.
 * @throws {TypeError} If not exactly one of them is given, or a name cannot be part of a subject.
 *
 * @example
 * ```ts ignore
 * import { createHoldfast } from "@holdfast/holdfast";
 * import { natsCluster } from "@holdfast/holdfast/nats";
 * import { postgresStorage } from "@holdfast/holdfast/postgres";
 *
 * const holdfast = createHoldfast({
 *   storage: postgresStorage({ url: "postgres://app:secret@localhost:5432/app" }),
 *   secrets: ["from the environment, 32 bytes or more"],
 *   cluster: natsCluster({ servers: "nats://localhost:4222" }),
 * });
 * ```
 */
export function natsCluster(options: NatsClusterOptions): Cluster {
  checkKnown(options, optionNames, "make the NATS cluster");
  const { name = "app", subjectPrefix = "holdfast" } = options;
  checkTarget("NATS cluster", options);
  for (const part of [name, ...subjectPrefix.split(".")]) {
    if (!/^[\w-]+$/.test(part)) {
      throw wrongArgument(
        `Cannot make the NATS cluster: ${JSON.stringify(part)} cannot be part of a subject`,
      );
    }
  }
  return {
    join: (address, receiver) => {
      const link = new NatsLink(options, `${subjectPrefix}.${name}`, address, receiver);
      void link.open();
      return link;
    },
  };
}

class NatsLink implements ClusterLink {
  readonly #options: NatsClusterOptions;
  readonly #clock: Clock;
  readonly #prefix: string;
  readonly #address: string;
  readonly #receiver: ClusterReceiver;
  #connection: NatsConnection | undefined;
  #own = false;
  #up = false;
  #closed = false;
  #subscriptions: ReturnType<NatsConnection["subscribe"]>[] = [];
  #cancelWait: (() => void) | undefined;

  constructor(
    options: NatsClusterOptions,
    prefix: string,
    address: string,
    receiver: ClusterReceiver,
  ) {
    this.#options = options;
    this.#clock = options.clock ?? webClock();
    this.#prefix = prefix;
    this.#address = address;
    this.#receiver = receiver;
  }

  get maxBytes(): number {
    return (this.#connection?.info?.max_payload ?? 1024 * 1024) - reservedBytes;
  }

  /** Connects, and again whenever a connection has ended for good. */
  async open(): Promise<void> {
    for (
      let delayMs: number = retryMs[0];
      !this.#closed;
      delayMs = Math.min(2 * delayMs, retryMs[1])
    ) {
      try {
        const { connection, own } = await openNats(this.#options);
        this.#connection = connection;
        this.#own = own;
        if (this.#closed) return await this.#leave();
        delayMs = retryMs[0];
        await this.#follow(connection);
      } catch (error) {
        if (!this.#closed) this.#options.onError?.(error);
      }
      this.#set(false);
      if (this.#closed) return;
      await new Promise<void>((resolve) => {
        this.#cancelWait = () => resolve();
        this.#clock.timer(delayMs, resolve, { background: true });
      });
    }
  }

  /** Until the connection has ended for good. */
  async #follow(connection: NatsConnection): Promise<void> {
    const statuses = connection.status();
    this.#subscribe(connection);
    await this.#ready(connection);
    for await (const { type } of statuses) {
      if (type === "disconnect" || type === "staleConnection") this.#set(false);
      else if (type === "reconnect") await this.#ready(connection);
      else if (type === "close") break;
      if (this.#closed) return;
    }
  }

  /** The server knows our subscriptions by the time it answers. */
  async #ready(connection: NatsConnection): Promise<void> {
    try {
      await connection.flush();
    } catch {
      // Gone again: its status says so.
      return;
    }
    if (!connection.isClosed()) this.#set(true);
  }

  #subscribe(connection: NatsConnection): void {
    const own = `${this.#prefix}.all.${this.#address}`;
    this.#subscriptions = [
      connection.subscribe(`${this.#prefix}.node.${this.#address}`, {
        callback: (error, message) => {
          // Also while it leaves: whoever is not answered cannot know what became of the request.
          if (error !== null) return;
          this.#receiver.request(decodeText(message.data))
            .then((answer) => void message.respond(answer))
            .catch((failure) => this.#options.onError?.(failure));
        },
      }),
      connection.subscribe(`${this.#prefix}.all.*`, {
        callback: (error, message) => {
          if (error !== null || this.#closed || message.subject === own) return;
          this.#receiver.broadcast(decodeText(message.data));
        },
      }),
    ];
  }

  #set(up: boolean): void {
    if (this.#up === up || (up && this.#closed)) return;
    this.#up = up;
    if (!this.#closed) this.#receiver.linked(up);
  }

  async request(address: string, text: string, timeoutMs: number): Promise<ClusterReply> {
    const connection = this.#connection;
    // The client would keep it and send it later, when nobody waits for it any more.
    if (!this.#up || connection === undefined) return { ok: false, why: "undelivered" };
    try {
      const timeout = Math.ceil(timeoutMs);
      const reply = await connection.request(`${this.#prefix}.node.${address}`, text, { timeout });
      return { ok: true, text: decodeText(reply.data) };
    } catch (error) {
      return { ok: false, why: nobodyListens(error) ? "undelivered" : "unknown" };
    }
  }

  broadcast(text: string): void {
    if (!this.#up) return;
    try {
      this.#connection?.publish(`${this.#prefix}.all.${this.#address}`, text);
    } catch (error) {
      this.#options.onError?.(error);
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#cancelWait?.();
    await this.#leave();
  }

  async #leave(): Promise<void> {
    const connection = this.#connection;
    if (connection === undefined) return;
    try {
      const [requests, ...rest] = this.#subscriptions;
      for (const subscription of rest) subscription.unsubscribe();
      if (!this.#up) requests?.unsubscribe();
      else {
        // What has been sent to this node on the way is still refused.
        await requests?.drain();
        // What was told last is on its way when this is answered.
        await connection.flush();
      }
    } catch {
      // It is gone already.
    }
    if (this.#own) await connection.close().catch(() => {});
  }
}

/** Whether the server has said that there is no subscription. */
function nobodyListens(error: unknown): boolean {
  const { name, cause, isNoResponders } = error as Error & { isNoResponders?: () => boolean };
  if (name === "NoRespondersError" || (cause as Error | undefined)?.name === "NoRespondersError") {
    return true;
  }
  return typeof isNoResponders === "function" && isNoResponders.call(error);
}
