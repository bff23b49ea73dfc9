import * as v from "valibot";
import {
  defaultJsonLimits,
  type JsonObject,
  type JsonValue,
  parseJson,
} from "../../src/core/json.ts";
import type { FramePort } from "../../src/live/ports.ts";
import type { ClientFrame } from "../../src/live/protocol.ts";

const text = (most: number) => v.pipe(v.string(), v.maxLength(most));
const count = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(Number.MAX_SAFE_INTEGER));
const id = v.pipe(v.string(), v.minLength(1), v.maxLength(256));
const names = v.pipe(v.array(text(1024)), v.maxLength(2000));
/** Has been read as JSON, so it is. */
const json = v.custom<JsonValue>((value) => value !== undefined);
const jsonObject = v.custom<JsonObject>((value) =>
  typeof value === "object" && value !== null && !Array.isArray(value)
);

const form = v.object({
  id: text(256),
  data: v.pipe(v.array(v.tuple([v.string(), v.string()])), v.maxLength(5000)),
  target: v.exactOptional(names),
  touched: v.exactOptional(names),
});

const frame = v.variant("t", [
  v.object({
    t: v.literal("join"),
    id,
    ref: count,
    v: count,
    token: text(4096),
    url: text(8192),
    mounts: count,
    attempts: count,
    nav: v.picklist(["navigate", "reload", "back_forward", "resume", "live"]),
    params: v.exactOptional(jsonObject),
    assets: v.exactOptional(v.pipe(v.array(text(4096)), v.maxLength(200))),
  }),
  v.object({
    t: v.literal("event"),
    id,
    ref: count,
    name: text(64),
    type: v.picklist(["click", "change", "submit", "keydown", "keyup", "focus", "blur", "hook"]),
    value: v.exactOptional(json),
    form: v.exactOptional(form),
    recover: v.exactOptional(v.literal(true)),
  }),
  v.object({ t: v.literal("params"), id, ref: count, url: text(8192) }),
  v.object({ t: v.literal("leave"), id, why: v.picklist(["navigate", "unload"]) }),
  v.object({ t: v.literal("full"), id }),
  v.object({ t: v.literal("drained") }),
  v.object({ t: v.literal("ping"), n: count }),
]);

/** `JSON.stringify` writes a lone surrogate, and nothing else of a browser's, as such an escape. */
const loneSurrogate = /(?<!\\)((?:\\\\)*)\\u[dD][89a-fA-F][0-9a-fA-F]{2}/g;

/** Reads frames with valibot; refuses keys that reach prototypes, and what is too deep or too much. */
export function frames(maxFrameBytes: number): FramePort {
  const limits = { ...defaultJsonLimits, maxBytes: maxFrameBytes };
  return {
    read(given) {
      const escaped = given.includes("\\u")
        ? given.replace(loneSurrogate, (_, before: string) => `${before}\\ufffd`)
        : given;
      const parsed = parseJson(escaped, limits);
      if (!parsed.ok) return { problem: parsed.problems[0]?.reason ?? "is not JSON" };
      const read = v.safeParse(frame, parsed.value);
      if (read.success) return read.output satisfies ClientFrame;
      return { problem: v.getDotPath(read.issues[0]) ?? "is no frame" };
    },
  };
}
