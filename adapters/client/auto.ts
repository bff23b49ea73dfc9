import type { ConnectOptions } from "../../src/client/options.ts";
import { type Client, connectWith } from "./connect.ts";

/** Put in by `npm run client`: the name of the other half of the script, beside this one. */
declare const MORE: string;

/** Connects the live views of the page. */
export function connect(options: ConnectOptions = {}): Client {
  return connectWith(options, () => import(new URL(MORE, import.meta.url).href));
}

function json(text: string | null | undefined): Record<string, never> {
  return JSON.parse(text ?? "{}");
}

/**
 * The script that the server offers: connects by itself if its tag says `data-live-auto`, after it
 * has given the page a say in the options with a `live:start` event on the document.
 */
function start(tag: HTMLElement): Client {
  const { livePath, liveMessages, liveDev } = tag.dataset;
  const timing = document.querySelector("meta[name=live-timing]")?.getAttribute("content");
  const options = {
    path: livePath ?? "/live",
    timing: json(timing),
    messages: json(liveMessages),
    dev: liveDev !== undefined,
  };
  document.dispatchEvent(new CustomEvent("live:start", { detail: options }));
  return connect(options);
}

const tag = document.querySelector<HTMLElement>("script[data-live-auto]");

/** The connection of the page, if the tag asked for one. */
export const client: Client | undefined = tag === null ? undefined : start(tag);
