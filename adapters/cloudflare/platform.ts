/** What is used of the SQL of a Durable Object (`ctx.storage.sql`). */
export interface SqlLike {
  /** Runs one statement. */
  exec(query: string, ...bindings: readonly (string | number)[]): {
    /** Reads all rows. */
    toArray(): readonly Readonly<Record<string, unknown>>[];
  };
}

/** What is used of the storage of a Durable Object (`ctx.storage`). */
export interface DurableObjectStorageLike {
  /** Its database; only in classes that were made as `new_sqlite_classes`. */
  readonly sql: SqlLike;
}

/** What is used of what a Durable Object is constructed with (`ctx`). */
export interface DurableObjectContext {
  /** What it keeps. */
  readonly storage: DurableObjectStorageLike;
}

/** What is used of the storage of a Durable Object that hosts an object (`ctx.storage`). */
export interface HostStorageLike extends DurableObjectStorageLike {
  /** When it is woken up next; `null` for never. */
  getAlarm(): Promise<number | null>;
  /** Has it woken up. */
  setAlarm(at: number): Promise<void>;
  /** Lets it sleep. */
  deleteAlarm(): Promise<void>;
  /** Removes everything there is of it. */
  deleteAll(): Promise<void>;
}

/** What is used of what a Durable Object that hosts an object is constructed with (`ctx`). */
export interface DurableObjectHostContext {
  /** What it keeps. */
  readonly storage: HostStorageLike;
}

/** What is used of a way to one Durable Object. */
export interface DurableObjectStub {
  /** Sends it a request. */
  fetch(
    url: string,
    init: { readonly method: string; readonly body: string; readonly signal?: AbortSignal },
  ): Promise<Response>;
}

/** What is used of a binding to a class of Durable Objects (`env.STORE`). */
export interface DurableObjectNamespaceLike {
  /** Names one of them. */
  idFromName(name: string): unknown;
  /** Makes a way to it. */
  get(id: never): DurableObjectStub;
}
