/** What went over the sockets of a page. */
import type { Page } from "playwright-core";
import type { ClientFrame, ServerFrame } from "../../../src/live/protocol.ts";

/** A frame, and who sent it. */
export type Logged =
  | { readonly from: "page"; readonly socket: number; readonly frame: ClientFrame }
  | { readonly from: "server"; readonly socket: number; readonly frame: ServerFrame };

const logs: WeakMap<Page, Frames> = new WeakMap();

export class Frames {
  /** Everything in order. */
  readonly all: Logged[] = [];
  /** Sockets opened so far. */
  sockets = 0;

  private constructor(page: Page, keep: number) {
    const note = (one: Logged) => {
      this.all.push(one);
      if (this.all.length > keep) this.all.splice(0, this.all.length - keep / 2);
    };
    page.on("websocket", (socket) => {
      const number = this.sockets++;
      socket.on("framesent", ({ payload }) => {
        note({ from: "page", socket: number, frame: JSON.parse(String(payload)) });
      });
      socket.on("framereceived", ({ payload }) => {
        note({ from: "server", socket: number, frame: JSON.parse(String(payload)) });
      });
    });
  }

  /** The log of a page; begins when it is first asked for, and keeps so many of the last frames. */
  static of(page: Page, keep: number = Infinity): Frames {
    let log = logs.get(page);
    if (log === undefined) logs.set(page, log = new Frames(page, keep));
    return log;
  }

  /** What the page sent of one kind. */
  sent<T extends ClientFrame["t"]>(t: T): readonly (ClientFrame & { readonly t: T })[] {
    return this.all.flatMap(({ from, frame }) =>
      from === "page" && frame.t === t ? [frame as ClientFrame & { readonly t: T }] : []
    );
  }

  /** What the server sent of one kind. */
  received<T extends ServerFrame["t"]>(t: T): readonly (ServerFrame & { readonly t: T })[] {
    return this.all.flatMap(({ from, frame }) =>
      from === "server" && frame.t === t ? [frame as ServerFrame & { readonly t: T }] : []
    );
  }

  /** What form recovery sent. */
  get recoveries(): readonly (ClientFrame & { readonly t: "event" })[] {
    return this.sent("event").filter(({ recover }) => recover === true);
  }

  /** Whether the last text of every view that something happened to is durable, by word of the server. */
  get stored(): boolean {
    const answered = new Map<string, number>();
    const durable = new Map<string, number>();
    for (const { from, frame } of this.all) {
      if (from !== "server") continue;
      if (frame.t === "joined") {
        answered.delete(frame.id);
        durable.delete(frame.id);
      } else if (frame.t === "reply" && frame.rev !== undefined) answered.set(frame.id, frame.rev);
      else if (frame.t === "stash" && frame.durable) durable.set(frame.id, frame.rev);
    }
    return answered.size > 0 &&
      [...answered].every(([id, rev]) => (durable.get(id) ?? -1) >= rev);
  }
}

/** What a page that is in trouble looks like. */
export async function describe(page: Page): Promise<string> {
  const frames = Frames.of(page).all.filter(({ frame }) => !/^p[io]ng$/.test(frame.t)).slice(-20)
    .map(({ from, socket, frame }) =>
      `  ${socket} ${from === "page" ? "→" : "←"} ${JSON.stringify(frame).slice(0, 240)}`
    );
  const roots = await page.locator("[data-live-view]").evaluateAll((all) =>
    all.map((root) => `${root.id} ${root.getAttribute("data-live-state")}`)
  ).catch(() => []);
  return `${page.url()}: ${roots.join(", ")}\n${frames.join("\n")}`;
}
