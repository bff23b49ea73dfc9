/** What every view shows of itself, for those who look at it from outside. */
import type { RenderContext } from "holdfast/live";
import { html } from "hono/html";
import process from "node:process";

/** A piece of HTML. */
export type Markup = ReturnType<typeof html>;

/** Name of this process. */
export const node: string = process.env["NODE_NAME"] || "a";
/** Version this process plays, as text. */
export const version: string = process.env["APP_VERSION"] || "1";

/**
 * Node, version, mounts, recovery status and the state as JSON.
 *
 * @param prefix Put before each `data-testid`, where several views share a page.
 */
export function facts(ctx: RenderContext, state: object, prefix = ""): Markup {
  const fact = (name: string, value: string | number) =>
    html`
      <dt>${name}</dt>
      <dd><output data-testid="${prefix}${name}">${value}</output></dd>
    `;
  return html`
    <dl class="facts">
        ${fact("node", node)} ${fact("version", version)} ${fact("mounts", ctx.mounts)}
        ${fact("recovery", ctx.recovery)} ${fact("connected", String(ctx.connected))}
      </dl>
    <pre data-testid="${prefix}echo">${JSON.stringify(state)}</pre>
  `;
}

/** Waits so many milliseconds. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
