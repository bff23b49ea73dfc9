import type { ClientMark, Entry } from "./stored.ts";

/** Clients remembered per document; beyond it the one that has been quiet for longest is forgotten. */
const maxClients = 1000;

/**
 * Which operation of each client was accepted last, so that one sent again after a lost answer is
 * not done twice (SPEC DO6). Immutable: a table goes with the state it describes.
 */
export class Clients {
  readonly marks: ReadonlyMap<string, ClientMark>;

  constructor(marks: ReadonlyMap<string, ClientMark> = new Map()) {
    this.marks = marks;
  }

  /** The table after some more entries. */
  after(entries: readonly Entry[]): Clients {
    if (!entries.some(({ client }) => client !== undefined)) return this;
    const marks = new Map(this.marks);
    for (const { client, seq, at } of entries) {
      if (client === undefined) continue;
      // Put last: the order is that of use.
      marks.delete(client.id);
      marks.set(client.id, { clientSeq: client.seq, seq, at });
    }
    for (const id of marks.keys()) {
      if (marks.size <= maxClients) break;
      marks.delete(id);
    }
    return new Clients(marks);
  }

  /** A client's latest operation; `undefined` if the one that is asked for has not been here. */
  latest(client: { readonly id: string; readonly seq: number }): ClientMark | undefined {
    const mark = this.marks.get(client.id);
    return mark === undefined || mark.clientSeq < client.seq ? undefined : mark;
  }
}
