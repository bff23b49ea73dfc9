import type { DocumentClient, Membership } from "../document/client.ts";
import type { DocumentDefinition } from "../document/model.ts";
import type { DocumentFrame } from "../document/frame.ts";
import type { Key } from "../sync/key.ts";
import type { OpenWatch, WatchOptions, WatchSource } from "../sync/watch.ts";

/** Options of `ctx.join`. */
export interface LiveJoinOptions {
  /** Who. @default {null} */
  readonly actor?: string | null;
  /** May only look. @default {false} */
  readonly readOnly?: boolean;
}

/** Finds documents; what their state and operations are the definition says. */
export type DocumentPort = <S, Op>(
  definition: DocumentDefinition<S, Op>,
  id: string,
) => DocumentClient<S, Op>;

/**
 * What a view has subscribed to: all of it ends with the view, and nothing is kept of what has ended
 * before, however often it joins and leaves.
 */
export class Subscriptions {
  readonly #changed: () => void;
  readonly #members = new Set<{ heard(): void }>();
  /** What ends each. */
  readonly #ends = new Set<() => void>();
  #over = false;

  /** @param changed Called after each change of a document, of who is in it, and of what is watched. */
  constructor(changed: () => void) {
    this.#changed = changed;
  }

  /** How many there are. */
  get size(): number {
    return this.#ends.size;
  }

  /** Subscribes to a document. */
  async join<S, Op>(
    document: DocumentClient<S, Op>,
    { actor = null, readOnly = false }: LiveJoinOptions,
  ): Promise<Membership<S, Op>> {
    let forget = (): void => {};
    let hasEnded = false;
    const deliver = (frame: DocumentFrame): void => {
      if (frame.t === "end") {
        hasEnded = true;
        forget();
      }
      this.#changed();
    };
    const membership = await document.join({ actor, readOnly, deliver });
    const { leave } = membership;
    const end = (): void => {
      forget();
      leave();
    };
    forget = () => {
      this.#members.delete(membership);
      this.#ends.delete(end);
    };
    membership.leave = end;
    if (this.#over) leave();
    else if (!hasEnded) {
      this.#members.add(membership);
      this.#ends.add(end);
    }
    return membership;
  }

  /** Opens a watch. */
  watch<Value, Sql>(
    source: WatchSource<Sql>,
    options: WatchOptions<Value, Sql>,
    key: Key,
  ): OpenWatch<Value> {
    const watch = source.open(options, key);
    const end = (): void => {
      this.#ends.delete(end);
      watch.close();
    };
    if (this.#over) {
      watch.close();
    } else {
      watch.subscribe(() => this.#changed());
      this.#ends.add(end);
    }
    return {
      getSnapshot: () => watch.getSnapshot(),
      subscribe: (listener) => watch.subscribe(listener),
      ready: () => watch.ready(),
      close: end,
    };
  }

  /** The page is alive: so is who it stands for in documents. */
  heard(): void {
    for (const member of this.#members) member.heard();
  }

  /** Ends all of them, and what is subscribed to from now on at once. */
  end(): void {
    this.#over = true;
    for (const end of [...this.#ends]) end();
  }
}
