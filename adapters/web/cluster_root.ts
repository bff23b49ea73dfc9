import { ClusterNode } from "../../src/cluster/node.ts";
import type { JsonValue } from "../../src/core/json.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { Cluster } from "../../src/ports/cluster.ts";
import type { Random } from "../../src/ports/random.ts";
import {
  readSessionNotice,
  type SessionNotice,
  type SessionNotices,
} from "../../src/stash/notices.ts";
import { checkKnown, type OptionNames, outOfRange, wrongArgument } from "../../src/core/options.ts";

/** How nodes find out about each other; the same on every node. */
export interface ClusterOptions {
  /** Milliseconds between two heartbeats, 10 to 60,000. @default {500} */
  readonly beatEveryMs?: number;
  /**
   * Milliseconds without a heartbeat after which a node is taken for dead, at least three times
   * `beatEveryMs`, at most 600,000. @default {2000}
   */
  readonly lapseMs?: number;
}

const timeNames: OptionNames<ClusterOptions> = { beatEveryMs: true, lapseMs: true };

/**
 * Makes this process a node among others, if it is to be one.
 *
 * @throws {TypeError} If the cluster is none.
 * @throws {RangeError} If a number is out of range.
 */
export function clusterNode(
  { cluster, clusterTimes = {}, clock, random }: {
    readonly cluster?: Cluster;
    readonly clusterTimes?: ClusterOptions;
    readonly clock: Clock;
    readonly random: Random;
  },
): ClusterNode | undefined {
  checkKnown(clusterTimes, timeNames, "create a holdfast", "clusterTimes");
  if (cluster === undefined) return undefined;
  if (typeof cluster?.join !== "function") {
    throw wrongArgument('Cannot create a holdfast: "cluster" is not a cluster');
  }
  const beatEveryMs = inRange("beatEveryMs", clusterTimes.beatEveryMs ?? 500, 10, 60_000);
  const lapseMs = clusterTimes.lapseMs ?? Math.max(2000, 3 * beatEveryMs);
  return new ClusterNode({ cluster, clock, random }, {
    beatEveryMs,
    lapseMs: inRange("lapseMs", lapseMs, 3 * beatEveryMs, 600_000),
  });
}

/** What tells other nodes of sessions, if this process is one of several. */
export function noticeTeller(
  node: ClusterNode | undefined,
): ((notice: SessionNotice) => void) | undefined {
  return node && ((notice) => {
    // Each write makes a hint, which only those who are there have a use for; an end is told anyway.
    if ("why" in notice || !node.alone) node.tell("session", notice);
  });
}

/** Takes in what another node tells about a session. */
export function hearNotice(notices: SessionNotices, body: JsonValue): void {
  const notice = readSessionNotice(body);
  if (notice !== undefined) notices.hear(notice);
}

function inRange(name: string, value: number, least: number, most: number): number {
  if (Number.isFinite(value) && value >= least && value <= most) return value;
  throw outOfRange(
    `Cannot use cluster option "${name}": it is ${
      String(value)
    }, not a number from ${least} to ${most}`,
  );
}
