import { wrongArgument } from "../core/options.ts";
import { encodeBase64url } from "../core/base64url.ts";
import { HoldfastError } from "../core/errors.ts";
import { encodeId } from "../core/key.ts";
import { defaultEngineLimits } from "../object/engine.ts";
import { RecordStore } from "../object/store.ts";
import { type DrainReport, type EnginePorts, logReference } from "../object/types.ts";
import type { ListOptions } from "../ports/storage.ts";
import type { DocumentEvent } from "../ports/telemetry.ts";
import { OpenDocument } from "./document.ts";
import { LogStore } from "./log_store.ts";
import { Members } from "./members.ts";
import type { AnyDocumentDefinition } from "./model.ts";
import type { DocumentNotice } from "./notices.ts";
import { Presence } from "./presence.ts";
import type { Resident } from "./resident.ts";
import { type AnySpec, deleted } from "./version.ts";

/** Settings of all documents of a process. */
export interface DocumentSettings {
  readonly namespace: string;
  readonly storageTimeoutMs: number;
  /** Operations that may wait for one document. */
  readonly mailbox: number;
  /** Milliseconds an operation may take, waiting and storing included. */
  readonly callTimeoutMs: number;
  /** Milliseconds between looks for what other nodes have written, while anybody is subscribed. */
  readonly followEveryMs: number | null;
  /** Milliseconds over which changes of presence are gathered. */
  readonly presenceEveryMs: number;
  /** Milliseconds after which a subscriber that was not heard of is not here any more. */
  readonly presenceTtlMs: number;
}

/** The documents of a process: which are in memory, for how long, and who finds them. */
export class Documents {
  readonly #ports: EnginePorts;
  readonly #settings: DocumentSettings;
  readonly #store: RecordStore;
  readonly #log: LogStore;
  readonly #residents: Map<string, Resident> = new Map();
  readonly #specs: Map<string, AnySpec> = new Map();
  readonly #tellOthers: (notice: DocumentNotice) => void;
  /** Names this node to others. */
  readonly #from: string;
  #closing = false;
  #joins = 0;

  /**
   * @param ports Their `emit` is asked for at each event: listeners come and go.
   * @param tellOthers Tells other nodes, if there are any.
   */
  constructor(
    ports: EnginePorts,
    settings: DocumentSettings,
    tellOthers: (notice: DocumentNotice) => void = () => {},
  ) {
    this.#ports = ports;
    this.#tellOthers = tellOthers;
    this.#from = encodeBase64url(ports.random.bytes(9));
    this.#settings = settings;
    const { storageTimeoutMs } = settings;
    // A snapshot carries its clients beside a state of at most 16 MiB.
    const maxStateBytes = 33_554_432;
    this.#store = new RecordStore(ports, {
      ...defaultEngineLimits,
      storageTimeoutMs,
      maxStateBytes,
    });
    this.#log = new LogStore(this.#store);
  }

  /** Where logs and snapshots are. */
  get log(): LogStore {
    return this.#log;
  }

  /** The definitions in use. */
  get specs(): Iterable<AnySpec> {
    return this.#specs.values();
  }

  /** The documents in memory. */
  get residents(): Iterable<Resident> {
    return this.#residents.values();
  }

  /** A document, if it is in memory. */
  resident(key: string): Resident | undefined {
    return this.#residents.get(key);
  }

  /** The number of a join that begins. */
  nextJoin(): number {
    return ++this.#joins;
  }

  /** Documents in memory. */
  get size(): number {
    return this.#residents.size;
  }

  /**
   * Takes a definition in; the same one again is no change.
   *
   * @throws {TypeError} If it is not a definition, or another one has its name.
   */
  register(definition: AnyDocumentDefinition): AnySpec {
    // What else there is in it is for the engine alone to know.
    const spec = definition?.spec as AnySpec | undefined;
    if (typeof spec?.name !== "string" || typeof spec.apply !== "function") {
      throw wrongArgument("Cannot use a document: its definition is not one of defineDocument()");
    }
    const known = this.#specs.get(spec.name) ?? spec;
    if (known !== spec) {
      throw wrongArgument(`Cannot use document "${spec.name}": another definition has this name`);
    }
    this.#specs.set(spec.name, spec);
    return spec;
  }

  /** Lists keys in order. */
  list(prefix: string, options: ListOptions): Promise<readonly string[]> {
    return this.#closing ? Promise.reject(closed()) : this.#store.list(prefix, options);
  }

  /** The key of a document. Throws as {@linkcode encodeId} does. */
  key({ name }: AnySpec, id: string): string {
    return `${this.#settings.namespace}/document/${name}/${encodeId(id)}`;
  }

  /** Gets a document into memory, or finds it there; concurrent callers get the same. */
  async open(spec: AnySpec, id: string): Promise<Resident & { readonly open: OpenDocument }> {
    if (this.#closing) throw closed();
    const key = this.key(spec, id);
    const resident = this.#residents.get(key) ?? this.#start(spec, id, key);
    resident.uses++;
    const open = resident.open ?? await resident.opening;
    if (open.error !== undefined) throw open.error;
    this.#linger(resident);
    return resident as Resident & { readonly open: OpenDocument };
  }

  /** Runs what depends on who is subscribed: the grace period, and following other nodes. */
  membersChanged(resident: Resident): void {
    this.#linger(resident);
    const { followEveryMs } = this.#settings;
    if (resident.members.size === 0 || followEveryMs === null) {
      resident.cancelFollow?.();
      resident.cancelFollow = undefined;
    } else resident.cancelFollow ??= this.#follow(resident, followEveryMs);
  }

  /** Takes in what another node tells of a document; of use only to those who have it. */
  hear(notice: DocumentNotice): void {
    const resident = this.#residents.get(notice.key);
    if (resident === undefined) return;
    if (notice.t === "who") resident.presence.repeat();
    else if (notice.t === "presence") resident.presence.hear(notice.from, notice);
    else if (resident.members.size > 0) this.#readTo(resident, notice.seq).catch(() => {});
  }

  /** What it fails with reaches whoever uses the document next. */
  async #readTo({ opening }: Resident, seq: number): Promise<void> {
    const open = await opening;
    // A look that is under way may have begun before.
    for (let looks = 0; looks < 2 && open.durable.seq < seq; looks++) await open.refresh();
  }

  /** Lets go of a document, once everything of it is durable. */
  async stop(spec: AnySpec, id: string): Promise<void> {
    const resident = this.#residents.get(this.key(spec, id));
    if (resident === undefined) return;
    const open = await resident.opening.catch(() => undefined);
    if (open === undefined) return;
    await open.whenIdle();
    await open.snapshot();
    resident.members.end("ERR_CLOSED", true);
    await this.#remove(resident);
  }

  /** Deletes a document for good. */
  async delete(spec: AnySpec, id: string): Promise<boolean> {
    const key = this.key(spec, id);
    const at = this.#ports.clock.now();
    const last = await this.#seal(spec, key, at);
    if (last === undefined) return false;
    await this.#log.end(key, at);
    // The seal stays: a node that knows nothing of this finds it where it would write.
    await this.#log.removeBefore(key, last + 1);
    const resident = this.#residents.get(key);
    resident?.open?.end(deleted(spec));
    this.#tellOthers({ t: "wrote", key, seq: last + 1 });
    this.#teller(spec, key)({ name: "holdfast.document.delete" });
    return true;
  }

  /** Accepts nothing more, tells the subscribers, and waits until everything is durable. */
  async drain(withinMs: number): Promise<DrainReport> {
    this.#closing = true;
    const all = [...this.#residents.values()];
    let cancel = () => {};
    const late = new Promise<void>((resolve) => {
      cancel = this.#ports.clock.timer(withinMs, resolve);
    });
    await Promise.race([Promise.all(all.map((resident) => this.#finish(resident))), late]);
    cancel();
    const unfinished = [...this.#residents.values()];
    for (const { open } of unfinished) open?.end(closed());
    return { complete: unfinished.length === 0, unfinished: unfinished.length };
  }

  async #finish(resident: Resident): Promise<void> {
    const open = await resident.opening.catch(() => undefined);
    await open?.whenIdle();
    await open?.snapshot();
    resident.members.end("ERR_CLOSED", true);
    await this.#remove(resident);
  }

  /** Puts an entry at the end of the log that nothing can follow; its number less one. */
  async #seal(spec: AnySpec, key: string, at: number): Promise<number | undefined> {
    for (;;) {
      const { snapshot, segments } = await this.#log.load(key).catch((error) => {
        if (error instanceof HoldfastError && error.code === "ERR_DELETED") return gone;
        throw error;
      });
      if (segments.at(-1)?.deleted !== undefined) return undefined;
      const last = segments.at(-1)?.entries.at(-1)?.seq ?? snapshot?.seq ?? 0;
      if (last === 0) return undefined;
      const epoch = snapshot?.epoch ?? segments[0]?.epoch ?? "";
      const seal = { vsn: spec.vsn, epoch, entries: [], deleted: at };
      if ((await this.#log.append(key, last + 1, seal)).ok) return last;
    }
  }

  #start(spec: AnySpec, id: string, key: string): Resident {
    const { clock } = this.#ports;
    const { presenceEveryMs, presenceTtlMs } = this.#settings;
    const members = new Members();
    const settings = { everyMs: presenceEveryMs, ttlMs: presenceTtlMs };
    const resident: Resident = {
      spec,
      id,
      key,
      members,
      presence: new Presence(
        clock,
        settings,
        (frame) => members.casual(frame),
        ({ set, gone }) => this.#tellOthers({ t: "presence", key, from: this.#from, set, gone }),
      ),
      tell: this.#teller(spec, key),
      opening: Promise.reject(new Error("not begun")),
      open: undefined,
      uses: 0,
      cancelGrace: undefined,
      cancelFollow: undefined,
    };
    resident.opening.catch(() => {});
    resident.opening = this.#load(resident);
    resident.opening.catch(() => {});
    this.#residents.set(key, resident);
    this.#tellOthers({ t: "who", key });
    return resident;
  }

  async #load(resident: Resident): Promise<OpenDocument> {
    const { clock, random } = this.#ports;
    const { spec, id, key, members, tell } = resident;
    const began = clock.monotonic();
    try {
      const open = await OpenDocument.open({
        spec,
        id,
        key,
        log: this.#log,
        clock,
        random,
        members,
        mailbox: this.#settings.mailbox,
        newEpoch: () => encodeBase64url(random.bytes(9)),
        tell,
        wrote: (seq) => this.#tellOthers({ t: "wrote", key, seq }),
        over: () => void this.#remove(resident),
      });
      resident.open = open;
      tell({ name: "holdfast.document.open", durationMs: clock.monotonic() - began });
      return open;
    } catch (error) {
      // Not remembered: the next caller tries again.
      this.#residents.delete(key);
      throw error;
    }
  }

  #linger(resident: Resident): void {
    resident.cancelGrace?.();
    resident.cancelGrace = undefined;
    if (resident.members.size > 0 || this.#residents.get(resident.key) !== resident) return;
    const { gracePeriodMs } = resident.spec;
    resident.cancelGrace = this.#ports.clock.timer(gracePeriodMs, () => {
      void this.#unload(resident);
    }, { background: true });
  }

  /** Lets go of a document nobody uses; one that cannot be stored stays (SPEC DO11). */
  async #unload(resident: Resident): Promise<void> {
    const { open, members, uses } = resident;
    if (open === undefined || members.size > 0) return;
    await open.whenIdle();
    await open.snapshot();
    if (members.size > 0 || resident.uses !== uses || !open.idle) return;
    await this.#remove(resident);
  }

  async #remove(resident: Resident): Promise<void> {
    if (this.#residents.get(resident.key) !== resident) return;
    this.#residents.delete(resident.key);
    resident.cancelGrace?.();
    resident.cancelFollow?.();
    resident.presence.close();
    resident.tell({ name: "holdfast.document.close" });
    // Whoever still holds it must not write beside the next one.
    resident.open?.end(closed());
    await resident.open?.close();
  }

  #follow(resident: Resident, everyMs: number): () => void {
    return this.#ports.clock.timer(everyMs, () => {
      resident.cancelFollow = undefined;
      // What it fails with reaches whoever uses the document next.
      resident.open?.refresh().catch(() => {}).finally(() => this.membersChanged(resident));
    }, { background: true });
  }

  #teller(spec: AnySpec, key: string): Resident["tell"] {
    return (event: Omit<DocumentEvent, "ref" | "class">) =>
      this.#ports.emit?.({ ...event, ref: logReference(key), class: spec.name });
  }
}

const gone = { snapshot: undefined, segments: [] };

/** The error of a call after the end. */
export function closed(): HoldfastError {
  return new HoldfastError("ERR_CLOSED", "Cannot use a document: the instance is closed", {
    retryable: true,
  });
}
