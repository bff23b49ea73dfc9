import type { DeleteResult, PutResult, Stored } from "../../src/ports/storage.ts";

/** What a Worker asks of a store, as JSON in the body of a request. */
export type Asked =
  & {
    /** How many stores there are: each refuses to be one of another number. */
    readonly shards: number;
    /** The first of them has agreed to that number. */
    readonly admitted: boolean;
  }
  & (
    | { readonly call: "join" }
    | { readonly call: "get"; readonly key: string }
    | {
      readonly call: "put";
      readonly key: string;
      readonly value: string;
      readonly ifMatch?: string;
      readonly ifNoneMatch?: "*";
    }
    | { readonly call: "delete"; readonly key: string; readonly ifMatch?: string }
    | {
      readonly call: "list";
      readonly prefix: string;
      readonly after: string;
      readonly limit: number;
    }
  );

/** What a call answers. */
export type Answer = Stored | PutResult | DeleteResult | readonly string[] | null;

/** What a Worker is told: an answer, or why there is none, and then nothing was done. */
export type Told =
  | { readonly ok: true; readonly answer: Answer }
  | {
    readonly ok: false;
    readonly why: string;
    /** It has nothing yet, and wants the first of the stores to have agreed to their number. */
    readonly isNew?: true;
  };
