/**
 * The live views of a page, in the browser: connects them, keeps what the user types through
 * patches, lost connections and deploys, and sends what they do.
 *
 * A page that loads the script the server offers needs none of this; it is for those who bundle
 * their own, with `idiomorph` beside it.
 *
 * @module
 */
import { type Client, connectWith } from "./connect.ts";
import type { ConnectOptions } from "../../src/client/options.ts";

export type { Client } from "./connect.ts";
export type { ConnectOptions, Hook, HookContext } from "../../src/client/options.ts";
export type { Messages } from "../../src/client/messages.ts";
export type { Timing } from "../../src/client/timing.ts";
export type { ShownState } from "../../src/client/view.ts";

/**
 * Connects the live views of the page.
 *
 * @param options How, where it differs from the defaults.
 * @returns The connection.
 *
 * @example In the browser, with a hook
 * ```ts ignore
 * import { connect } from "@holdfast/holdfast/client";
 *
 * const client = connect({
 *   hooks: { Clock: { mounted() { this.el.textContent = new Date().toISOString(); } } },
 * });
 * client.on("saved", ({ detail }) => console.log(detail));
 * ```
 */
export function connect(options: ConnectOptions = {}): Client {
  return connectWith(options, () => import("../../src/client/dom/more.ts"));
}
