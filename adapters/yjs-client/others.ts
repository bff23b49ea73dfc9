import { outOfRange } from "../../src/core/options.ts";
import {
  applyAwarenessUpdate,
  Awareness,
  encodeAwarenessUpdate,
  removeAwarenessStates,
} from "y-protocols/awareness";
import { Doc } from "yjs";
import type { JsonValue } from "../../src/core/json.ts";
import { isJsonObject } from "../../src/core/json.ts";
import type { Present } from "../../src/document/frame.ts";

/** Most of a state that the server takes, in code units of its JSON: 4 KiB with what is around it. */
const mostOfState = 4000;

/** What of a change of awareness is told. */
interface Changed {
  readonly added: readonly number[];
  readonly updated: readonly number[];
  readonly removed: readonly number[];
}

/** Brings awareness and presence together: each connection is present with one state. */
export class Others {
  readonly #awareness: Awareness;
  readonly #here: (data: JsonValue) => void;
  /** The numbers that Yjs has for those who are present. */
  readonly #numbers: Map<string, number> = new Map();
  /** Who has said a number first: only they speak for it, also when they come back. */
  readonly #owners: Map<number, string> = new Map();
  #shown: Readonly<Record<string, Present>> | undefined;

  /** @param here Says where this user is. */
  constructor(awareness: Awareness, here: (data: JsonValue) => void) {
    this.#awareness = awareness;
    this.#here = here;
    awareness.on("update", this.#updated);
    this.#say();
  }

  /** Shows who is present. */
  show(presence: Readonly<Record<string, Present>>, you: string | undefined): void {
    const before = this.#shown ?? {};
    if (presence === before) return;
    this.#shown = presence;
    for (const [id, number] of [...this.#numbers]) {
      if (!Object.hasOwn(presence, id)) this.#remove(id, number);
    }
    for (const [id, present] of Object.entries(presence)) {
      // Of many who are here few move at a time.
      if (id !== you && before[id] !== present) this.#put(id, present.data);
    }
  }

  close(): void {
    this.#awareness.off("update", this.#updated);
    for (const [id, number] of [...this.#numbers]) this.#remove(id, number);
  }

  readonly #updated = ({ added, updated, removed }: Changed): void => {
    const { clientID } = this.#awareness;
    if ([...added, ...updated, ...removed].includes(clientID)) this.#say();
  };

  /** Says what this user's state is. */
  #say(): void {
    const { clientID, meta } = this.#awareness;
    const state: JsonValue = this.#awareness.getLocalState();
    const size = JSON.stringify(state).length;
    if (size > mostOfState) {
      throw outOfRange(
        `Cannot tell others a state of awareness of ${size} characters: at most ${mostOfState} are allowed`,
      );
    }
    // Awareness takes in no state with the clock it begins with, 0.
    this.#here({ client: clientID, clock: (meta.get(clientID)?.clock ?? 0) + 1, state });
  }

  #put(id: string, data: JsonValue): void {
    if (!isJsonObject(data)) return;
    const { client, clock, state } = data;
    // Another number would be told as one that may be somebody else's.
    if (!isNumber(client) || !isNumber(clock) || state === undefined) return;
    // Nobody speaks for this user.
    if (client === this.#awareness.clientID) return;
    const owner = this.#owners.get(client) ?? id;
    if (owner !== id) return;
    const before = this.#numbers.get(id);
    if (before !== undefined && before !== client) {
      this.#remove(id, before);
      this.#owners.delete(before);
    }
    this.#owners.set(client, id);
    this.#numbers.set(id, client);
    try {
      applyAwarenessUpdate(this.#awareness, encoded(client, clock, state), this);
    } catch {
      // It is none: whoever said it is not shown.
    }
  }

  #remove(id: string, number: number): void {
    this.#numbers.delete(id);
    removeAwarenessStates(this.#awareness, [number], this);
    // Who comes back has the clock it went with.
    this.#awareness.meta.delete(number);
  }
}

function isNumber(value: JsonValue | undefined): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** One state as awareness tells it. */
function encoded(client: number, clock: number, state: JsonValue): Uint8Array {
  const one = new Awareness(new Doc());
  one.destroy();
  one.meta.set(client, { clock, lastUpdated: 0 });
  return encodeAwarenessUpdate(one, [client], new Map([[client, state as never]]));
}
