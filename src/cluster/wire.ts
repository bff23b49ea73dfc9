import {
  ConflictError,
  type ErrorCode,
  HoldfastError,
  InvalidArgumentsError,
  InvalidStateError,
  InvalidValueError,
  type Problem,
  StorageUnavailableError,
  TooLargeError,
} from "../core/errors.ts";
import { isJsonObject, type JsonValue, normalize } from "../core/json.ts";
import { type Operation, operations } from "../object/router.ts";
import type { Beat } from "./members.ts";

/** A call, or what else is done with an object, on its way to the owner. */
export interface Forwarded extends WireErrand {
  readonly kind: "call";
  /** The node that asks, by its address, and the number it has given the call: no copy is run. */
  readonly from: string;
  readonly number: number;
  /** The incarnation it is meant for: one that has begun anew does not run what is older. */
  readonly to: number;
}

/** Asks a former owner to let go of an object. */
export interface Release {
  readonly kind: "release";
  readonly from: Beat;
  readonly className: string;
  readonly objectId: string;
}

/** What is to be done with an object, as it crosses. */
export interface WireErrand {
  readonly className: string;
  readonly objectId: string;
  readonly operation: Operation;
  /** What is called, or the alarm to fire. */
  readonly handler: string;
  readonly args: readonly JsonValue[];
  /** Positions of the arguments that are `undefined`. */
  readonly absent: readonly number[];
  readonly fresh: boolean;
  readonly existing: boolean;
  readonly chain: readonly string[];
}

/** What one node asks of another. */
export type Request = Forwarded | Release;

/** What it is told. */
export type Answer =
  | { readonly kind: "reply"; readonly value?: JsonValue }
  | { readonly kind: "error"; readonly error: WireError }
  /** Not run: the node is on its way out, or is not the one that was meant. */
  | { readonly kind: "refused" };

/** An error as it crosses: without stack and cause, which may hold anything. */
export interface WireError {
  readonly name: string;
  readonly message: string;
  readonly code?: string;
  readonly retryable?: boolean;
  readonly ours?: true;
  readonly problems?: readonly Problem[];
  readonly outcome?: "none" | "unknown";
  /** What was thrown, if it was no error. */
  readonly value?: JsonValue;
}

/** Nothing is cut here that a node of its own would accept: the link says how much it carries. */
const unlimited = {
  maxBytes: Number.MAX_SAFE_INTEGER,
  maxDepth: 512,
  maxNodes: Number.MAX_SAFE_INTEGER,
};

/** Makes JSON of arguments; throws `ERR_INVALID_VALUE` with the path of what it cannot carry. */
export function packArgs(
  what: string,
  args: readonly unknown[],
): Pick<WireErrand, "args" | "absent"> {
  const absent: number[] = [];
  const packed = args.map((arg, i) => {
    if (arg !== undefined) return pack(`argument ${i} of ${what}`, arg);
    absent.push(i);
    return null;
  });
  return { args: packed, absent };
}

/** Undoes {@linkcode packArgs}. */
export function unpackArgs({ args, absent }: Pick<WireErrand, "args" | "absent">): unknown[] {
  const unpacked: unknown[] = [...args];
  for (const i of absent) unpacked[i] = undefined;
  return unpacked;
}

/** Makes JSON of a value; throws `ERR_INVALID_VALUE` with the path of what it cannot carry. */
export function pack(what: string, value: unknown): JsonValue {
  const result = normalize(value, { limits: unlimited });
  if (result.ok) return result.value;
  throw new InvalidValueError(`${what}, which goes to another node`, result.problems);
}

/** Makes what can cross of anything thrown; never throws itself, whatever that is. */
export function packError(error: unknown): WireError {
  try {
    return packed(error);
  } catch {
    return { name: "Error", message: "Cannot tell what was thrown: it cannot be read" };
  }
}

function packed(error: unknown): WireError {
  if (!(error instanceof Error)) {
    const result = normalize(error, { limits: unlimited });
    const message = result.ok ? "" : String(error);
    return { name: "", message, ...(result.ok ? { value: result.value } : {}) };
  }
  const { name, message } = error;
  const { code, retryable, problems, outcome } = error as Partial<StorageUnavailableError> & {
    readonly problems?: readonly Problem[];
  };
  return {
    name: `${name}`,
    message: `${message}`,
    ...(typeof code === "string" ? { code } : {}),
    ...(typeof retryable === "boolean" ? { retryable } : {}),
    ...(error instanceof HoldfastError ? { ours: true } : {}),
    ...(Array.isArray(problems)
      ? { problems: problems.map(({ path, reason }) => ({ path: `${path}`, reason: `${reason}` })) }
      : {}),
    ...(outcome === "none" || outcome === "unknown" ? { outcome } : {}),
  };
}

const ours: Readonly<Record<string, { readonly prototype: object }>> = {
  ConflictError,
  InvalidArgumentsError,
  InvalidStateError,
  InvalidValueError,
  StorageUnavailableError,
  TooLargeError,
};
const builtIn: Readonly<Record<string, ErrorConstructor>> = {
  Error,
  TypeError,
  RangeError,
  SyntaxError,
  URIError,
  EvalError,
  ReferenceError,
};

/** Makes what the caller is given: the same name, message and code, of the same class if it is known. */
export function unpackError(wire: WireError): unknown {
  const { name, message, code, retryable = false, problems, outcome } = wire;
  if (name === "") return wire.value ?? new Error(message);
  const extra = {
    ...(problems === undefined ? {} : { problems }),
    ...(outcome === undefined ? {} : { outcome }),
  };
  if (wire.ours === true && code !== undefined) {
    const error = new HoldfastError(code as ErrorCode, message, { retryable });
    const known = Object.hasOwn(ours, name) ? ours[name] : undefined;
    if (known !== undefined) Object.setPrototypeOf(error, known.prototype);
    return Object.assign(error, { name }, extra);
  }
  const make = Object.hasOwn(builtIn, name) ? builtIn[name] : undefined;
  const error = new (make ?? Error)(message);
  if (error.name !== name) {
    Object.defineProperty(error, "name", { value: name, configurable: true });
  }
  const own = { ...(code === undefined ? {} : { code }) };
  return Object.assign(error, own, wire.retryable === undefined ? {} : { retryable }, extra);
}

/** Reads what was told to all; `undefined` if it is not of ours. */
export function readMessage(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Reads a heartbeat; `undefined` if it is none. */
export function readBeat(value: unknown): Beat | undefined {
  const beat = value as Beat | null | undefined;
  const fine = typeof beat?.address === "string" && Number.isInteger(beat.incarnation) &&
    ["up", "draining", "gone"].includes(beat.state) && isJsonObject(beat.serves) &&
    Object.values(beat.serves).every(Number.isInteger);
  return fine ? beat : undefined;
}

/** Reads what another node asks for; `undefined` if it is nothing of ours. */
export function readRequest(text: string): Request | undefined {
  const message = readMessage(text) as (Forwarded | Release) | undefined;
  if (typeof message?.className !== "string" || typeof message.objectId !== "string") {
    return undefined;
  }
  const fine = message.kind === "call"
    ? isCall(message)
    : message.kind === "release" && readBeat(message.from) !== undefined;
  return fine ? message : undefined;
}

function isCall(message: Forwarded): boolean {
  const { from, number, to } = message;
  return typeof from === "string" && Number.isSafeInteger(number) && number >= 0 &&
    Number.isInteger(to) && isErrand(message);
}

/** Whether what arrived, as far as it is text, is to be done with an object. */
export function isErrand(message: Partial<WireErrand>): message is WireErrand {
  const { className, objectId, operation, handler, args, absent, fresh, existing, chain } = message;
  return typeof className === "string" && typeof objectId === "string" &&
    typeof handler === "string" && operations.some((known) => known === operation) &&
    Array.isArray(args) && Array.isArray(absent) &&
    absent.every((i) => Number.isInteger(i) && i in args) &&
    typeof fresh === "boolean" && typeof existing === "boolean" &&
    Array.isArray(chain) && chain.every((link) => typeof link === "string");
}

/** Reads what a node was told; `undefined` if it is no answer of ours. */
export function readAnswer(text: string): Answer | undefined {
  const answer = readMessage(text) as Answer | undefined;
  if (answer?.kind === "reply" || answer?.kind === "refused") return answer;
  if (answer?.kind !== "error" || !isJsonObject(answer.error)) return undefined;
  const { name, message } = answer.error;
  return typeof name === "string" && typeof message === "string" ? answer : undefined;
}
