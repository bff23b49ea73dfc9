import type { Variant } from "./apps.ts";
import { ours } from "./ours.ts";
import { floors, peers } from "./peers.ts";

/** Everything there is to measure, by name, in the order of the table. */
export const variants: Readonly<Record<string, Variant>> = {
  ...floors,
  ...ours,
  ...peers,
};
