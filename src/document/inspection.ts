import { HoldfastError } from "../core/errors.ts";
import { decodeId, encodeId, encodeIdPrefix } from "../core/key.ts";
import { logReference } from "../object/types.ts";
import { publish } from "./catch_up.ts";
import type { Documents } from "./documents.ts";
import type { LogEntry } from "./model.ts";
import type { Resident } from "./resident.ts";
import type { Entry } from "./stored.ts";
import { type AnySpec, emptyVersion, replayOf, versionOf } from "./version.ts";

/** A class of documents as this process has it. */
export interface DocumentClassView {
  /** Name of its definition. */
  readonly name: string;
  /** Version of its definition. */
  readonly vsn: number;
  /** Documents in memory. */
  readonly open: number;
  /** Subscribers of all of them together. */
  readonly subscribers: number;
  /** How many of those have said where they are. */
  readonly present: number;
}

/** What this process has of a document in memory. */
export interface OpenDocumentView {
  readonly subscribers: number;
  /** How many of them have said where they are. */
  readonly present: number;
  /** Bytes of operations that are not durable yet. */
  readonly unsavedBytes: number;
}

/** One document: what is stored, and what this process has of it in memory. */
export interface DocumentView {
  /** The durable state; `undefined` if there is none. Not to be changed. */
  readonly state: unknown;
  /** Version of the definition that shows it. */
  readonly vsn: number;
  /** Number of the last durable operation; 0 for none. */
  readonly seq: number;
  /** Number of the last operation in the snapshot. */
  readonly snapshotSeq: number;
  /** Why it cannot be used, if that is the case: deleted, damaged, or of a newer version. */
  readonly problem: HoldfastError | undefined;
  /** The last accepted operations, oldest first. */
  readonly history: readonly LogEntry[];
  /** `undefined` if it is not in memory here. */
  readonly open: OpenDocumentView | undefined;
}

/** A part of the ids of a class. */
export interface DocumentPage {
  readonly ids: readonly string[];
  /** Where the next part begins; `undefined` after the last. */
  readonly next: string | undefined;
}

/** Operations shown of a history. */
const shownEntries = 50;

/** No segment has more entries. */
const longestSegment = 1000;

/** Looks at documents: changes nothing, and brings none into memory. */
export class DocumentInspection {
  readonly #documents: Documents;

  constructor(documents: Documents) {
    this.#documents = documents;
  }

  /** The classes this process has used, by name. */
  classes(): readonly DocumentClassView[] {
    const views = new Map<
      string,
      { -readonly [K in keyof DocumentClassView]: DocumentClassView[K] }
    >();
    for (const { name, vsn } of this.#documents.specs) {
      views.set(name, { name, vsn, open: 0, subscribers: 0, present: 0 });
    }
    for (const { spec, members, presence } of this.#documents.residents) {
      const view = views.get(spec.name);
      if (view === undefined) continue;
      view.open++;
      view.subscribers += members.size;
      view.present += presence.size;
    }
    return [...views.values()].sort((a, b) => a.name < b.name ? -1 : 1);
  }

  /**
   * Lists ids under which something is stored, those of deleted documents included.
   *
   * @param options `prefix`: what ids begin with; `after`: only ids that come after this one; `limit`:
   *   1 to 100, each of which costs a look at storage.
   * @throws {HoldfastError} `ERR_UNKNOWN_CLASS` if this process has not used the class.
   */
  async list(
    name: string,
    { prefix: beginning = "", after, limit }: {
      readonly prefix?: string;
      readonly after?: string | undefined;
      readonly limit: number;
    },
  ): Promise<DocumentPage> {
    const spec = this.#find(name);
    const prefix = this.#documents.key(spec, "x").slice(0, -1);
    const wanted = prefix + encodeIdPrefix(beginning);
    const ids: string[] = [];
    let last = after === undefined ? undefined : encodeId(after);
    // The keys of one document are passed over in one step: no key has more than its id and "/~".
    while (ids.length < limit) {
      const from = last === undefined ? {} : { after: `${prefix}${last}/~` };
      const [key] = await this.#documents.list(wanted, { ...from, limit: 1 });
      if (key === undefined) return { ids, next: undefined };
      last = key.slice(prefix.length).split("/", 1)[0] ?? "";
      const id = decodeId(last);
      if (id !== undefined) ids.push(id);
    }
    return { ids, next: ids.at(-1) };
  }

  /**
   * Looks at one document.
   *
   * @throws {HoldfastError} `ERR_UNKNOWN_CLASS` if this process has not used the class.
   * @throws {StorageUnavailableError} If storage fails.
   */
  async document(name: string, id: string): Promise<DocumentView> {
    const spec = this.#find(name);
    const key = this.#documents.key(spec, id);
    const resident = this.#documents.resident(key);
    const open = resident === undefined ? undefined : viewOf(resident);
    try {
      const { state, seq, snapshotSeq } = followed(resident) ?? await this.#version(spec, key);
      const history = await this.#history(key, seq, resident);
      const shown = seq === 0 ? undefined : state;
      return { state: shown, vsn: spec.vsn, seq, snapshotSeq, problem: undefined, history, open };
    } catch (error) {
      if (!(error instanceof HoldfastError) || error.retryable) throw error;
      const nothing = { state: undefined, vsn: spec.vsn, seq: 0, snapshotSeq: 0, history: [] };
      return { ...nothing, problem: error, open };
    }
  }

  /** Lets a document leave memory, once everything of it is durable. */
  async stop(name: string, id: string): Promise<void> {
    await this.#documents.stop(this.#find(name), id);
  }

  /** The log reference of a document. */
  ref(name: string, id: string): string {
    return logReference(this.#documents.key(this.#find(name), id));
  }

  #find(name: string): AnySpec {
    for (const spec of this.#documents.specs) if (spec.name === name) return spec;
    throw new HoldfastError(
      "ERR_UNKNOWN_CLASS",
      `Cannot use document ${JSON.stringify(name)}: no definition with this name was used`,
    );
  }

  async #version(spec: AnySpec, key: string): Promise<VersionView> {
    const { snapshot, segments } = await this.#documents.log.load(key);
    let version = snapshot === undefined ? emptyVersion(spec) : versionOf(spec, snapshot);
    const replay = replayOf(spec);
    for (const segment of segments) version = replay(version, segment);
    return { state: version.state, seq: version.seq, snapshotSeq: snapshot?.seq ?? 0 };
  }

  /** The last entries. A segment may begin further back than what is asked for: then from there. */
  async #history(
    key: string,
    seq: number,
    resident: Resident | undefined,
  ): Promise<readonly LogEntry[]> {
    const recent = resident?.open?.between(Math.max(0, seq - shownEntries), seq);
    if (recent !== undefined) return recent.map(publish);
    for (const back of [shownEntries, longestSegment]) {
      const found: Entry[] = [];
      for await (const { entries } of this.#documents.log.read(key, Math.max(1, seq + 1 - back))) {
        found.push(...entries);
      }
      if (found.length > 0 || seq <= back) return found.slice(-shownEntries).map(publish);
    }
    return [];
  }
}

/** A state, and where it is in the log. */
interface VersionView {
  readonly state: unknown;
  readonly seq: number;
  readonly snapshotSeq: number;
}

/** What memory has, while it follows what other nodes write: then storage need not be asked. */
function followed(resident: Resident | undefined): VersionView | undefined {
  const { open, members } = resident ?? {};
  if (open === undefined || open.error !== undefined || !members?.size) return undefined;
  const { state, seq } = open.durable;
  return { state, seq, snapshotSeq: open.snapshots.seq };
}

function viewOf({ members, presence, open }: Resident): OpenDocumentView {
  return {
    subscribers: members.size,
    present: presence.size,
    unsavedBytes: open?.unsavedBytes ?? 0,
  };
}
