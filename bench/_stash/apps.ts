/** What a server does with a request, the way the framework under it wants to be told. */
export type App =
  | { readonly fetch: (request: Request) => Response | Promise<Response> }
  | { readonly listener: (request: never, response: never) => void };

/** What every application is made with. */
export interface AppOptions {
  /** At least 32 characters, of which nobody knows anything. */
  readonly secret: string;
  /** A file for what must be durable. */
  readonly file: string;
  /** Text every session holds beside its counter. */
  readonly note: string;
}

/** Something to measure: `GET /read` answers with the session's counter, `POST /write` adds one. */
export interface Variant {
  /** As it stands in the table. */
  readonly label: string;
  /** Answers without a session, so that there is no counter to check. */
  readonly floor?: true;
  /** What it acknowledged outlives a killed process. */
  readonly durable?: true;
  /** Makes the application. */
  readonly make: (options: AppOptions) => App | Promise<App>;
}
