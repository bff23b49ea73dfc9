/** The system's Chromium, steered through playwright-core, which runs on all three runtimes. */
import { existsSync } from "node:fs";
import process from "node:process";
import { type Browser, chromium } from "playwright-core";

const places = [
  process.env["CHROMIUM"] ?? "",
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
];

/** Where the browser is; `undefined` if there is none. */
export const executable: string | undefined = places.find((path) =>
  path !== "" && existsSync(path)
);

/** Starts the browser. */
export function launch(): Promise<Browser> {
  if (executable === undefined) throw new Error("Chromium is not installed, and CHROMIUM not set");
  return chromium.launch({
    executablePath: executable,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--disable-quic",
      // Pages of one window hide each other, and hidden ones do not reconnect.
      "--disable-backgrounding-occluded-windows",
      "--disable-renderer-backgrounding",
      "--disable-background-timer-throttling",
    ],
  });
}
