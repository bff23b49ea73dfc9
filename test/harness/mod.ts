/**
 * One test API over bun:test, Deno.test and node:test. The computed import keeps each runtime from
 * resolving the modules of another.
 */
import type { Harness } from "./types.ts";

export type { Harness, TestContext } from "./types.ts";

export const runtime: "bun" | "deno" | "node" = "Bun" in globalThis
  ? "bun"
  : "Deno" in globalThis
  ? "deno"
  : "node";

const chosen: { readonly default: Harness } = await import(`./${runtime}.ts`);

export const test: Harness["test"] = chosen.default.test;
export const skip: Harness["skip"] = chosen.default.skip;
export const assert: Harness["assert"] = chosen.default.assert;
export const assertEquals: Harness["assertEquals"] = chosen.default.assertEquals;
export const assertRejects: Harness["assertRejects"] = chosen.default.assertRejects;
export const assertThrows: Harness["assertThrows"] = chosen.default.assertThrows;
