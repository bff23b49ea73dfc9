/** What a benchmarked server lets be done with it beside what its clients do. */
export interface Served {
  readonly port: number;
  /** Makes a document of nodes of 1 KiB, and keeps it in memory. */
  seed(document: string, nodes: number): Promise<void>;
}

/** The text of a node: no marker looks like it. */
export const filling: string = "kelp rope ".repeat(102);

/** Names of the nodes that are written to. */
export function node(n: number): string {
  return `n${n}`;
}
