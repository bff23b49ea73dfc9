import { type Bar, barLine } from "../_lib/bar.ts";
import { latencyOf, middle, type Results } from "./report.ts";

/** Rows of one transaction and transactions of one row, decoded in a second. */
const decoded = [
  { kind: "bulk", what: "rows/s of one transaction", least: 300_000 },
  { kind: "single", what: "transactions/s of one row", least: 60_000 },
] as const;

function barsOf(result: Results): readonly Bar[] {
  const { decode, decoder, slow } = result;
  const fromServer = (kind: "bulk" | "single", by: "holdfast" | "pg_recvlogical"): number =>
    middle(
      decode.filter((one) => one.kind === kind && one.by === by),
      ({ rows, seconds }) => rows / seconds,
    );
  return [
    ...[100, 1000].map((rate) => ({
      what: `to the callback at ${rate}/s, times the p50 of pg_recvlogical`,
      most: 1.3,
      found: latencyOf(result, "holdfast", rate, ({ p50 }) => p50) /
        latencyOf(result, "pg_recvlogical", rate, ({ p50 }) => p50),
    })),
    ...decoded.map(({ kind, what, least }) => ({
      what: `the decoder alone, each row read for a watch, ${what}`,
      least,
      found: middle(
        decoder.filter((one) => one.kind === kind && one.watched),
        ({ rows, seconds }) => rows / seconds,
      ),
    })),
    ...decoded.map(({ kind, what, least }) => ({
      what: `from a server on the same cores, ${what}`,
      least,
      found: fromServer(kind, "holdfast"),
      floor: fromServer(kind, "pg_recvlogical"),
    })),
    {
      what: "a slow consumer, resident MB more",
      most: 50,
      found: middle(slow.filter(({ watches }) => watches === 1), ({ megabytes }) => megabytes),
    },
  ];
}

/** What was promised, and whether it is kept; never a reason to fail. */
export function bars(all: readonly Results[]): readonly string[] {
  return all.flatMap((result) =>
    barsOf(result).filter(({ found }) => !Number.isNaN(found))
      .map((bar) => barLine(result.runtime, bar))
  );
}
