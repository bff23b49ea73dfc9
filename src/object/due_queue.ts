/** Something that is due at a time. */
export interface Due<T> {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly item: T;
}

/** A queue in order of time: a binary heap. */
export class DueQueue<T> {
  readonly #heap: Due<T>[] = [];

  get size(): number {
    return this.#heap.length;
  }

  /** What is due first; `undefined` if there is nothing. */
  peek(): Due<T> | undefined {
    return this.#heap[0];
  }

  push(due: Due<T>): void {
    const heap = this.#heap;
    let at = heap.push(due) - 1;
    while (at > 0) {
      const up = (at - 1) >> 1;
      const parent = heap[up] as Due<T>;
      if (parent.at <= due.at) break;
      heap[at] = parent;
      at = up;
    }
    heap[at] = due;
  }

  /** Takes what is due first. */
  shift(): Due<T> | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (last !== undefined && heap.length > 0) this.#sink(last);
    return first;
  }

  #sink(due: Due<T>): void {
    const heap = this.#heap;
    let at = 0;
    for (;;) {
      let down = 2 * at + 1;
      const left = heap[down];
      if (left === undefined) break;
      const right = heap[down + 1];
      const child = right !== undefined && right.at < left.at ? right : left;
      if (child === right) down++;
      if (child.at >= due.at) break;
      heap[at] = child;
      at = down;
    }
    heap[at] = due;
  }
}
