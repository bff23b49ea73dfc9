import type { DocumentEvent } from "../ports/telemetry.ts";
import type { OpenDocument } from "./document.ts";
import type { Members } from "./members.ts";
import type { Presence } from "./presence.ts";
import type { AnySpec } from "./version.ts";

/** A document in memory, and who is subscribed to it. */
export interface Resident {
  readonly spec: AnySpec;
  readonly id: string;
  readonly key: string;
  readonly members: Members;
  readonly presence: Presence;
  readonly tell: (event: Omit<DocumentEvent, "ref" | "class">) => void;
  /** Resolves once it is loaded; what it rejects with is not remembered. */
  opening: Promise<OpenDocument>;
  open: OpenDocument | undefined;
  /** Counts uses, so that one during an unload is noticed. */
  uses: number;
  cancelGrace: (() => void) | undefined;
  cancelFollow: (() => void) | undefined;
}
