import type { Inspection } from "../web/internals.ts";
import type { Internals } from "../web/internals.ts";
import type { Holdfast } from "../web/holdfast.ts";
import type { Live } from "../live/types.ts";
import type { IsHidden } from "./mask.ts";
import { Recorder } from "./recorder.ts";

/** What there is of the application's live views: what `createLive()` made. */
export type InspectedLive = Pick<Live, "node" | "draining" | "connections" | "drain">;

/** What there is of a sync: what `createSync()` made. */
export interface InspectedSync {
  readonly status: { readonly state: string };
  readonly lagMs?: number | undefined;
}

/** What pages are made from. */
export interface DeskParts {
  readonly holdfast: Holdfast;
  readonly internals: Internals;
  /** Where the inspector is. */
  readonly path: string;
  /** Name of this node. */
  readonly node: string;
  readonly lives: readonly InspectedLive[];
  readonly sync: InspectedSync | undefined;
  readonly isHidden: IsHidden;
}

/** The counts of this moment. */
export interface Counts {
  readonly sessions: number;
  readonly awake: number;
  readonly asleep: number;
  readonly documents: number;
  readonly subscribers: number;
  readonly present: number;
  readonly sockets: number;
  /** Alarms that are due and have not fired; `undefined` if storage does not say. */
  readonly due: number | undefined;
}

/** Alarms are counted up to here. */
export const maxDue = 1000;

/** Alarms are counted anew after so many milliseconds, however many look. */
const dueEveryMs = 2000;

/** What all pages of an inspector share. */
export class Desk {
  readonly parts: DeskParts;
  readonly recorder: Recorder;
  #due: { readonly at: number; readonly count: Promise<number | undefined> } | undefined;

  constructor(parts: DeskParts) {
    this.parts = parts;
    const { holdfast, internals: { clock } } = parts;
    this.recorder = new Recorder(clock, (listener) => holdfast.subscribe("holdfast.*", listener));
  }

  get inspection(): Inspection {
    return this.parts.internals.inspection;
  }

  /** Milliseconds since the epoch. */
  now(): number {
    return this.parts.internals.clock.now();
  }

  get draining(): boolean {
    return this.parts.lives.some((live) => live.draining);
  }

  /** Counts what there is; reads the index of alarms at most every two seconds. */
  async counts(): Promise<Counts> {
    const due = await this.#countDue();
    const { objects, documents, sessions } = this.inspection;
    const classes = objects.classes();
    const kinds = documents.classes();
    const sum = <T>(list: readonly T[], of: (item: T) => number) =>
      list.reduce((all, item) => all + of(item), 0);
    return {
      sessions: sessions.size,
      awake: sum(classes, ({ awake }) => awake),
      asleep: sum(classes, ({ asleep }) => asleep),
      documents: sum(kinds, ({ open }) => open),
      subscribers: sum(kinds, ({ subscribers }) => subscribers),
      present: sum(kinds, ({ present }) => present),
      sockets: sum(this.parts.lives, ({ connections }) => connections),
      due,
    };
  }

  #countDue(): Promise<number | undefined> {
    const now = this.parts.internals.clock.monotonic();
    if (this.#due === undefined || now - this.#due.at >= dueEveryMs) {
      // Storage that fails is told by its chart; the rest of the page is worth seeing.
      const count = this.inspection.objects.due(maxDue).catch(() => undefined);
      this.#due = { at: now, count };
    }
    return this.#due.count;
  }
}
