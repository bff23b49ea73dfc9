import type { DocumentClient } from "../../src/document/client.ts";
import { Documents } from "../../src/document/documents.ts";
import { DocumentInspection } from "../../src/document/inspection.ts";
import type { AnyDocumentDefinition } from "../../src/document/model.ts";
import { type DocumentNotice, readDocumentNotice } from "../../src/document/notices.ts";
import { Client, type ClientEnv } from "../../src/document/open_client.ts";
import { HoldfastError } from "../../src/core/errors.ts";
import type { JsonValue } from "../../src/core/json.ts";
import { Deadlines } from "../../src/object/deadline.ts";
import type { DrainReport, EnginePorts } from "../../src/object/types.ts";
import type { HoldfastLimits } from "./limits.ts";
import { checkKnown, type OptionNames, outOfRange } from "../../src/core/options.ts";

/** How documents are followed, and presence is told. */
export interface DocumentRootOptions {
  /**
   * Milliseconds between looks for what other processes on the same storage have written, while
   * anybody is subscribed, 50 or more; `null` where there is one process only.
   * @default {2000}
   */
  readonly followEveryMs?: number | null;
  /** Milliseconds over which changes of presence are gathered, 0 to 10,000. @default {50} */
  readonly presenceEveryMs?: number;
  /** Milliseconds after which a silent subscriber counts as gone, 1000 or more. @default {45000} */
  readonly presenceTtlMs?: number;
}

/** The documents of a process. */
export interface DocumentRoot {
  /** Makes what callers see of a document. */
  client(
    definition: AnyDocumentDefinition,
    id: string,
  ): DocumentClient<JsonValue, JsonValue>;
  /** Takes in what another node tells of a document. */
  hear(body: JsonValue): void;
  /** Looks at documents without touching them. */
  readonly inspection: DocumentInspection;
  /** Accepts nothing more, and waits until everything is durable. */
  drain(withinMs: number): Promise<DrainReport>;
}

const optionNames: OptionNames<DocumentRootOptions> = {
  followEveryMs: true,
  presenceEveryMs: true,
  presenceTtlMs: true,
};

/**
 * Puts the documents of a process together.
 *
 * @param tellOthers Tells other nodes, if there are any.
 * @throws {RangeError} If an option is out of range.
 */
export function documentRoot(
  ports: EnginePorts,
  namespace: string,
  limits: HoldfastLimits,
  options: DocumentRootOptions = {},
  tellOthers?: (notice: DocumentNotice) => void,
): DocumentRoot {
  checkKnown(options, optionNames, "create a holdfast", "documents");
  const { followEveryMs = 2000, presenceEveryMs = 50, presenceTtlMs = 45_000 } = options;
  if (followEveryMs !== null) inRange("followEveryMs", followEveryMs, 50, Number.MAX_VALUE);
  const { mailbox, storageTimeoutMs, callTimeoutMs } = limits;
  const documents = new Documents(ports, {
    namespace,
    storageTimeoutMs,
    mailbox,
    callTimeoutMs,
    followEveryMs,
    presenceEveryMs: inRange("presenceEveryMs", presenceEveryMs, 0, 10_000),
    presenceTtlMs: inRange("presenceTtlMs", presenceTtlMs, 1000, Number.MAX_VALUE),
  }, tellOthers);
  const { clock, random } = ports;
  const deadlines = new Deadlines(clock, ({ name }) => late(name, callTimeoutMs));
  const env: ClientEnv = { documents, clock, random, deadlines, callTimeoutMs };
  return {
    client: (definition, id) => new Client(env, documents.register(definition), id),
    hear: (body) => {
      const notice = readDocumentNotice(body);
      if (notice !== undefined) documents.hear(notice);
    },
    inspection: new DocumentInspection(documents),
    drain: (withinMs) => documents.drain(withinMs),
  };
}

function late(name: string, timeoutMs: number): HoldfastError {
  return new HoldfastError(
    "ERR_DEADLINE",
    `Cannot wait for document "${name}": no answer within ${timeoutMs / 1000} s`,
    { retryable: true },
  );
}

function inRange(name: string, value: number, least: number, most: number): number {
  if (value >= least && value <= most) return value;
  throw outOfRange(
    `Cannot use document option "${name}": it is ${String(value)}, not ${least} or more`,
  );
}
