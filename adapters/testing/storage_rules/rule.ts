import type { PutOptions, Storage } from "../../../src/ports/storage.ts";
import type { TestApi } from "../test_api.ts";

/** A store made for one test. */
export interface OpenStorage {
  /** The handle most rules use; the suite closes it. */
  readonly storage: Storage;
  /** Opens the same store again, after the suite closed the handle it had. */
  reopen?(): Promise<Storage>;
  /** Opens a further handle on the same store, beside the first. */
  another?(): Promise<Storage>;
  /** Cleans up after the test. */
  dispose?(): Promise<void>;
}

/** What the body of a rule gets. */
export interface RuleContext {
  /** The test runner. */
  readonly t: TestApi;
  /** The store made for this test. */
  readonly store: OpenStorage;
  /** Its first handle. */
  readonly storage: Storage;
}

/** One rule of the contract, as a test. */
export interface StorageRule {
  /** The rule of SPEC.md it proves, and what is done: `[ST1] …`. */
  readonly title: `[ST${number}] ${string}`;
  /** The flag a driver must have for the rule to apply. */
  readonly needs?: "durable" | "shared";
  /** The flag of drivers the rule does not apply to. */
  readonly unless?: "bestEffortDelete";
  /** Proves the rule. */
  readonly body: (context: RuleContext) => Promise<void>;
}

/** Puts where a lost race would be a fault of the test; answers the etag. */
export async function mustPut(
  storage: Storage,
  key: string,
  value: string,
  options?: PutOptions,
): Promise<string> {
  const result = await storage.put(key, value, options);
  if (!result.ok) throw new Error("A put that nobody raced with reported a lost race");
  return result.etag;
}

/** Answers the n numbers from 0. */
export function upTo(n: number): readonly number[] {
  return Array.from({ length: n }, (_, i) => i);
}

/** Checks for a wrong-argument error. */
export function isTypeError(error: Error): boolean {
  return error instanceof TypeError;
}
