import { Awareness } from "y-protocols/awareness";
import {
  applyUpdate,
  Doc,
  encodeStateAsUpdate,
  encodeStateVector,
  equalSnapshots,
  mergeUpdates,
  parseUpdateMeta,
  snapshot,
} from "yjs";
import { Connected } from "../../src/client/dom/connected_document.ts";
import { decodeBase64url, encodeBase64url } from "../../src/core/base64url.ts";
import type { KeptStore } from "../../src/client/document/options.ts";
import type { ReplicaSpec } from "../../src/client/document/replica.ts";
import type { WireAnswer } from "../../src/document/wire.ts";
import { yjsVsn } from "../../src/document/yjs_vsn.ts";
import { Others } from "./others.ts";
import type { ConnectedYjs, YjsConnectOptions, YjsSnapshot } from "./options.ts";

/**
 * What is certain, as far as the document has to be told of it: what came last, and what came before
 * it and may not be in the document yet.
 */
interface Certain {
  readonly updates: readonly string[];
  before?: Certain | undefined;
}

/** An operation of a `yjsDocument()`. */
interface YjsOp {
  readonly update: string;
}

/** A replica that keeps the updates and leaves their content to the document. */
const spec: ReplicaSpec<Certain, YjsOp> = {
  name: "yjs",
  vsn: yjsVsn,
  state: () => ({ updates: [] }),
  apply: (before, { update }) => ({ state: { updates: [update], before } }),
  parts: undefined,
  migrateOp: undefined,
};

/** Above so many bytes it is worth while to make an update anew. */
const manyBytes = 4096;

/** Implements {@linkcode ConnectedYjs}. */
export class YjsConnection implements ConnectedYjs {
  readonly doc: Doc;
  readonly awareness: Awareness;
  readonly #replica: Connected<Certain, YjsOp>;
  readonly #others: Others;
  readonly #ownsAwareness: boolean;
  readonly #keep: KeptStore | undefined;
  readonly #listeners: Set<() => void> = new Set();
  /** What is in the document already. */
  #taken: Certain | undefined;
  /** What is certain of whom: the state vector. */
  readonly #certain: Map<number, number> = new Map();
  /** The server had less than the document when it has told all it has. */
  #lacks = false;
  /** Changes made here that are not sent. */
  #unsent: Uint8Array[] = [];
  /** The one that is on its way: more go with the next, so that there are few however fast one types. */
  #sending: Uint8Array | undefined;
  #sendsSoon = false;
  #synced = false;
  #refused: string | undefined;
  #snapshot: YjsSnapshot | undefined;
  #closed = false;

  /** @param client Names this client; nobody can guess it. */
  constructor(options: YjsConnectOptions, client: string) {
    const { doc, awareness, keep, ...others } = options;
    this.doc = doc;
    this.#keep = keep;
    this.#ownsAwareness = awareness === undefined;
    this.awareness = awareness ?? new Awareness(doc);
    // Whether it has more than the server shows once that has told what it has.
    this.#lacks = doc.store.clients.size > 0;
    this.#revive();
    this.#replica = new Connected({ ...others, definition: { spec } }, client);
    this.#others = new Others(this.awareness, (data) => this.#replica.here(data));
    this.#replica.subscribe(() => this.#changed());
    doc.on("update", this.#edited);
  }

  readonly getSnapshot = (): YjsSnapshot => {
    const { status, reason, seq } = this.#replica.getSnapshot();
    return this.#snapshot ??= {
      status,
      reason,
      synced: this.#synced,
      unsaved: this.#sending !== undefined || this.#unsent.length > 0 || this.#lacks,
      refused: this.#refused,
      seq,
    };
  };

  readonly subscribe = (listener: () => void): () => void => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };

  reconnect(): void {
    this.#replica.reconnect();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.doc.off("update", this.#edited);
    this.#others.close();
    if (this.#ownsAwareness) this.awareness.destroy();
    this.#replica.close();
    this.#listeners.clear();
  }

  /** Somebody has changed the document: the user, or we with what others have done. */
  readonly #edited = (update: Uint8Array, origin: unknown): void => {
    if (origin === this) return;
    this.#unsent.push(update);
    this.#save();
    this.#tell();
    if (this.#sendsSoon) return;
    this.#sendsSoon = true;
    queueMicrotask(() => {
      this.#sendsSoon = false;
      this.#send();
    });
  };

  /** Sends all that is not sent as one, unless one is on its way, or it is not known what the server has. */
  #send(): void {
    if (
      this.#closed || !this.#synced || this.#sending !== undefined || this.#refused !== undefined
    ) return;
    if (this.#unsent.length === 0) return;
    const update = this.#shortest(merged(this.#unsent));
    this.#unsent = [];
    this.#sending = update;
    this.#replica.mutate({ update: encodeBase64url(update) }).then(
      (answer) => this.#answered(answer),
      // It was closed; what is kept is sent the next time.
      () => {},
    );
  }

  /** Letters typed one by one are one text in the document, and only there. */
  #shortest(update: Uint8Array): Uint8Array {
    if (update.length <= manyBytes) return update;
    const anew = encodeStateAsUpdate(this.doc, encodeStateVector(this.#certain));
    return anew.length < update.length ? anew : update;
  }

  #answered(answer: WireAnswer): void {
    const isRefused = answer.status === "rejected" || answer.status === "error";
    // It may have built on what the server has lost, and goes once more with that.
    if (isRefused && !this.#lacks) {
      this.#refused = answer.status === "rejected" ? answer.reason : answer.code;
    } else {
      this.#sending = undefined;
      this.#giveBack();
      this.#send();
    }
    this.#save();
    this.#tell();
  }

  #changed(): void {
    const { confirmed, status, presence, you } = this.#replica.getSnapshot();
    if (status === "connected") this.#synced = true;
    if (this.#synced) this.#take(confirmed);
    this.#others.show(presence, you);
    this.#send();
    this.#tell();
  }

  /** Puts what has become certain into the document; what came from here is there already. */
  #take(certain: Certain): void {
    if (certain === this.#taken) return;
    const news: string[][] = [];
    let at: Certain | undefined = certain;
    for (; at !== undefined && at !== this.#taken; at = at.before) news.push([...at.updates]);
    // It is all the server has, which may have lost some: gone back to a backup, for example.
    if (at === undefined) {
      this.#certain.clear();
      this.#lacks = this.doc.store.clients.size > 0 && !this.#isAll(certain);
    }
    this.#taken = certain;
    // All of it is in the document: nobody has to hold on to it.
    delete certain.before;
    this.doc.transact(() => {
      for (const text of news.reverse().flat()) this.#apply(decoded(text));
    }, this);
    this.#giveBack();
  }

  /** Whether all that is in the document is certain. */
  #isAll({ updates }: Certain): boolean {
    const theirs = new Doc();
    for (const text of updates) applyUpdate(theirs, decoded(text));
    const before = snapshot(theirs);
    applyUpdate(theirs, encodeStateAsUpdate(this.doc));
    return equalSnapshots(before, snapshot(theirs));
  }

  /** Sends what the document has and the server has not, once nothing else is on its way. */
  #giveBack(): void {
    if (!this.#lacks || this.#sending !== undefined) return;
    this.#lacks = false;
    // What is not sent yet is in it.
    this.#unsent = [encodeStateAsUpdate(this.doc, encodeStateVector(this.#certain))];
    this.#send();
  }

  #apply(update: Uint8Array): void {
    applyUpdate(this.doc, update, this);
    for (const [client, clock] of parseUpdateMeta(update).to) {
      if (clock > (this.#certain.get(client) ?? 0)) this.#certain.set(client, clock);
    }
  }

  #save(): void {
    if (this.#keep === undefined) return;
    // So that with every letter only that one is added.
    if (this.#unsent.length > 1) this.#unsent = [merged(this.#unsent)];
    const sending = this.#sending === undefined ? [] : [this.#sending];
    const all = [...sending, ...this.#unsent];
    this.#keep.save(all.length === 0 ? null : encodeBase64url(merged(all)));
  }

  /** Takes up what was kept. An update that is there twice changes nothing, so it is simply sent. */
  #revive(): void {
    const text = this.#keep?.load();
    const update = typeof text === "string" ? decodeBase64url(text) : undefined;
    if (update === undefined) return;
    try {
      applyUpdate(this.doc, update, this);
      this.#unsent.push(update);
    } catch {
      // Somebody else's text: nothing that could be sent.
    }
  }

  #tell(): void {
    this.#snapshot = undefined;
    for (const listener of [...this.#listeners]) listener();
  }
}

function merged(updates: readonly Uint8Array[]): Uint8Array {
  const [first, ...more] = updates;
  return first !== undefined && more.length === 0 ? first : mergeUpdates([...updates]);
}

function decoded(text: string): Uint8Array {
  const update = decodeBase64url(text);
  if (update === undefined) throw new TypeError("Cannot take in an update: it is not base64url");
  return update;
}
