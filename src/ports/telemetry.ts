/**
 * Runs a function in surroundings of somebody's choice, such as an async context. Calls it once and
 * answers as it does.
 */
export type Around = <T>(run: () => T) => T;

/** What happened to one storage call; `ref` is a log reference, never a key that opens anything. */
export interface StorageEvent {
  /** Which call. */
  readonly name:
    | "holdfast.storage.get"
    | "holdfast.storage.put"
    | "holdfast.storage.delete"
    | "holdfast.storage.list";
  /** Whether the call begins, has ended, or has failed. */
  readonly phase: "start" | "stop" | "exception";
  /** The same for every try and phase of one call, and for no other call. */
  readonly id: string;
  /** Log reference of the record. */
  readonly ref: string;
  /** Which try of the call this is, from 1. */
  readonly attempt: number;
  /** Milliseconds it took; absent at the start. */
  readonly durationMs?: number;
  /** `"found"` or `"absent"` after a read; `"ok"` or `"conflict"` after a write. */
  readonly result?: "found" | "absent" | "ok" | "conflict";
  /** What was thrown, when the phase is `"exception"`. */
  readonly error?: unknown;
}

/** What happened to an object in memory. */
export interface ObjectEvent {
  /**
   * Loaded, dropped while idle, overtaken by another writer, discarded, an effect threw, a call that a
   * handler of its made failed after that had ended; hibernated, shut down, deleted, a hook of that threw; given a rest because it keeps failing to start.
   */
  readonly name:
    | "holdfast.object.activate"
    | "holdfast.object.evict"
    | "holdfast.object.conflict"
    | "holdfast.object.discard"
    | "holdfast.object.effect_failed"
    | "holdfast.object.call_failed"
    | "holdfast.object.hibernate"
    | "holdfast.object.shutdown"
    | "holdfast.object.delete"
    | "holdfast.object.hook_failed"
    | "holdfast.object.cool_down";
  /** Log reference of the record. */
  readonly ref: string;
  /** Name of its definition; absent for what holds a session. */
  readonly class?: string;
  /** Calls that will be run again (`conflict`) or were failed (`discard`). */
  readonly calls?: number;
  /** Milliseconds it rests for (`cool_down`). */
  readonly restMs?: number;
  /** What was thrown, if anything was. */
  readonly error?: unknown;
}

/** What happened to one call of a durable object. */
export interface CallEvent {
  readonly name: "holdfast.object.call";
  /** Whether the call begins, was answered, or has failed. */
  readonly phase: "start" | "stop" | "exception";
  /** The same in every phase of one call, and in no other call. */
  readonly id: string;
  /** Log reference of the object. */
  readonly ref: string;
  /** Name of its definition. */
  readonly class: string;
  /** Name of the handler. */
  readonly handler: string;
  /** Milliseconds until the answer left, waiting and storing included; absent at the start. */
  readonly durationMs?: number;
  /** What the caller gets, when the phase is `"exception"`. */
  readonly error?: unknown;
  /**
   * At the start only: has the call carried out through a function, its handler and what storage is
   * asked for its sake included. To be used while the event is being told.
   */
  readonly within?: (around: Around) => void;
}

/** What happened to an alarm of a durable object, or to the poller (without `class` and `alarm`). */
export interface AlarmEvent {
  /** Its effect is durable, it will be tried again, it was given up, or a round of the poller failed. */
  readonly name:
    | "holdfast.alarm.fire"
    | "holdfast.alarm.retry"
    | "holdfast.alarm.park"
    | "holdfast.alarm.visit_failed"
    | "holdfast.alarm.poll_failed";
  /** Log reference of the object; empty where there is none. */
  readonly ref: string;
  /** Name of the object's definition. */
  readonly class?: string;
  /** Name of the alarm. */
  readonly alarm?: string;
  /** Which try this was, from 1. */
  readonly attempt?: number;
  /** Milliseconds between the time it was set to and its end. */
  readonly lateMs?: number;
  /** Milliseconds that this try took, waiting and storing included. */
  readonly durationMs?: number;
  /** What was thrown, if anything was. */
  readonly error?: unknown;
}

/** What happened to a slice of a session's stash. */
export interface StashEvent {
  /** Recovered at the start of a request, stored, left out as invalid, or refused. */
  readonly name:
    | "holdfast.stash.recover"
    | "holdfast.stash.stash"
    | "holdfast.stash.skip"
    | "holdfast.stash.refuse";
  /** Log reference of the session. */
  readonly ref: string;
  /** Name of the stash. */
  readonly stash: string;
  /** Outcome of a recovery, or why a write was refused. */
  readonly status?: string;
  /** Keys concerned: left out (`skip`), stored (`stash`) or invalid (`recover`). */
  readonly keys?: readonly string[];
  /** What went wrong, if anything did. */
  readonly error?: unknown;
}

/** What happened to a browser session as a whole. */
export interface SessionEvent {
  /** The step in the session's life. */
  readonly name:
    | "holdfast.session.create"
    | "holdfast.session.touch"
    | "holdfast.session.rotate"
    | "holdfast.session.move"
    | "holdfast.session.destroy"
    | "holdfast.session.ambiguous_cookie"
    | "holdfast.session.sweep";
  /** Log reference of the session; empty where there is none. */
  readonly ref: string;
  /** Records removed by a sweep. */
  readonly removed?: number;
  /** What went wrong, if anything did. */
  readonly error?: unknown;
}

/** What happened to a document. */
export interface DocumentEvent {
  /**
   * Loaded, left memory, got and lost a subscriber, overtaken by another node, could not be stored (it
   * is tried again), its snapshot was stored or could not be, its log was cut, it was deleted.
   */
  readonly name:
    | "holdfast.document.open"
    | "holdfast.document.close"
    | "holdfast.document.join"
    | "holdfast.document.leave"
    | "holdfast.document.commit"
    | "holdfast.document.conflict"
    | "holdfast.document.store_failed"
    | "holdfast.document.snapshot"
    | "holdfast.document.snapshot_failed"
    | "holdfast.document.trim"
    | "holdfast.document.delete";
  /** Log reference of the document. */
  readonly ref: string;
  /** Name of its definition. */
  readonly class: string;
  /** Operations concerned: committed together, to be run again after a conflict, or cut. */
  readonly operations?: number;
  /** Subscribers there are now. */
  readonly subscribers?: number;
  /** Milliseconds it took. */
  readonly durationMs?: number;
  /** What was thrown, if anything was. */
  readonly error?: unknown;
}

/** What happened to a live view, or to the connections of a node (without `view`). */
export interface LiveViewEvent {
  /**
   * Connected, an event was handled, over, one of its functions threw, something was refused; the node
   * has taken leave of its pages.
   */
  readonly name:
    | "holdfast.live.join"
    | "holdfast.live.event"
    | "holdfast.live.leave"
    | "holdfast.live.crash"
    | "holdfast.live.refuse"
    | "holdfast.live.drain";
  /** Log reference of the session; empty where there is none. */
  readonly ref: string;
  /** Name of the view. */
  readonly view?: string;
  /** Name of the event that was handled, or that crashed the view. */
  readonly event?: string;
  /** How often the page instance has joined before; -1 for a page rendered for a request. */
  readonly mounts?: number;
  /** How the state came to be (`join`), or why something was refused. */
  readonly status?: string;
  /** Milliseconds it took. */
  readonly durationMs?: number;
  /** Views that were connected when the drain began. */
  readonly views?: number;
  /** Of those, how many could not be stored. */
  readonly failed?: number;
  /** Connections whose page did not answer the drain in time. */
  readonly timedOut?: number;
  /** What was thrown, if anything was. */
  readonly error?: unknown;
}

/** What happened to the stream of changes of a database. */
export interface SyncStreamEvent {
  readonly name: "holdfast.sync.stream";
  /**
   * It was opened; it has ended and will be opened again; views have begun to follow it, or follow
   * on without a gap; it was held back or goes on; a message of it could not be read.
   */
  readonly status: "opened" | "ended" | "began" | "followed" | "paused" | "resumed" | "damaged";
  /** What went wrong, if anything did. */
  readonly error?: unknown;
}

/**
 * What a node is among those that share a stream of changes: the one that reads it, one that is
 * handed what it needs, or one that reads it for itself because it can reach no other.
 */
export type SyncRole = "leader" | "follower" | "alone";

/** A node has another role than before among those that share a stream of changes. */
export interface SyncRoleEvent {
  readonly name: "holdfast.sync.role";
  readonly role: SyncRole;
}

/** What a slot that outlives its connections makes the server keep. */
export interface SyncSlotEvent {
  readonly name: "holdfast.sync.slot";
  /** As the server calls it: `reserved`, `extended`, `unreserved` or `lost`. */
  readonly status: string;
  /** Bytes of the log that are kept for it. */
  readonly retainedBytes: number;
}

/** A watched value was loaded, or could not be. */
export interface SyncLoadEvent {
  readonly name: "holdfast.sync.load";
  /** Name of the table. */
  readonly table: string;
  /** Milliseconds it took. */
  readonly durationMs: number;
  /** What was thrown, if anything was. */
  readonly error?: unknown;
}

/** A watched value has to be loaded again. */
export interface SyncInvalidateEvent {
  readonly name: "holdfast.sync.invalidate";
  /** Name of the table. */
  readonly table: string;
  /**
   * A change that only a query can apply; too many changes at once; other columns; a row that could
   * not be read; a stream that does not follow on the one before.
   */
  readonly reason: "change" | "overflow" | "schema" | "undecodable" | "epoch";
}

/** A function of the user, or the parser of a type, has thrown while a change was applied. */
export interface SyncFailEvent {
  readonly name: "holdfast.sync.failed";
  readonly error: unknown;
}

/** What an operator has asked the inspector to do. */
export interface InspectorEvent {
  readonly name: "holdfast.inspector.action";
  /** Have an object or a document leave memory, or the node take leave of its pages. */
  readonly action: "stop" | "drain";
  /** It was done, the operator may not, or it has failed. */
  readonly status: "done" | "refused" | "failed";
  /** Log reference of the object or document; empty where it is about the node. */
  readonly ref: string;
  /** Name of its definition. */
  readonly class?: string;
  /** Who, as `authorize` said. */
  readonly operator?: string;
  /** What it has failed with. */
  readonly error?: unknown;
}

/** A request that was refused for where its page is from. */
export interface OriginEvent {
  readonly name: "holdfast.origin.refuse";
  /** Of whom it asked something: live pages, a document's route, the inspector. */
  readonly what: "live" | "document" | "inspector";
  /** The Origin header, 200 characters at most; empty if there was none. */
  readonly origin: string;
  /** The host that was asked, as this server sees it; 200 characters at most. */
  readonly host: string;
}

/** Everything the library tells about itself: no session id, no stored value, no secret. */
export type TelemetryEvent =
  | StorageEvent
  | ObjectEvent
  | CallEvent
  | AlarmEvent
  | DocumentEvent
  | StashEvent
  | SessionEvent
  | LiveViewEvent
  | SyncStreamEvent
  | SyncRoleEvent
  | SyncSlotEvent
  | SyncLoadEvent
  | SyncInvalidateEvent
  | SyncFailEvent
  | OriginEvent
  | InspectorEvent;

/** Receives events; what it throws is ignored. */
export type Telemetry = (event: TelemetryEvent) => void;
