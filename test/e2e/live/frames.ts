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

  private constructor(page: Page) {
    page.on("websocket", (socket) => {
      const number = this.sockets++;
      socket.on("framesent", ({ payload }) => {
        this.all.push({ from: "page", socket: number, frame: JSON.parse(String(payload)) });
      });
      socket.on("framereceived", ({ payload }) => {
        this.all.push({ from: "server", socket: number, frame: JSON.parse(String(payload)) });
      });
    });
  }

  /** The log of a page; begins when it is first asked for. */
  static of(page: Page): Frames {
    let log = logs.get(page);
    if (log === undefined) logs.set(page, log = new Frames(page));
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

  /** Whether everything that was answered on the last socket is durable, by word of the server. */
  get stored(): boolean {
    const last = (found: (one: Logged) => boolean) => this.all.findLastIndex(found);
    const answered = last(({ frame }) => frame.t === "reply" || frame.t === "joined");
    return last(({ frame }) => frame.t === "stash" && frame.durable) > answered;
  }
}
