/**
 * The browser client on a page of 5,000 nodes, in Chromium, and what a keystroke costs on the wire:
 *
 *     npm run bench -- live_client [--quick]
 *
 * A patch is timed from its frame to the page that shows it, without layout, beside setting
 * `innerHTML`, which is the least a browser could do and loses all that is typed. Both take turns.
 */
import process from "node:process";
import { chromium, type Page } from "playwright-core";
import { clientScript } from "../adapters/live/client_script.ts";
import { splice as spliceBetween } from "../src/live/splice.ts";
import { flag } from "./_lib/options.ts";
import { figure, median, table } from "./_lib/stats.ts";

const rows = 1000;
const rounds = flag("quick") ? 3 : 21;

/** A list of rows of five nodes each, with a form before it. */
function html(draft: string, from = 0, suffix = ""): string {
  const items = Array.from({ length: rows }, (_, i) => {
    const n = i + from;
    return `<li id="row-${n}"><b>${n}</b> <span class="name">Item ${n}${suffix}</span></li>`;
  });
  return `<form id="f" data-live-change="edit"><input name="title" value="${draft}"></form>` +
    `<ul>${items.join("")}</ul>`;
}

/** Stands in for the socket within the page, so that a frame is handled while we wait for it. */
const socketInPage = `
  window.WebSocket = class {
    constructor() {
      window.socket = this;
      this.readyState = 1;
      setTimeout(() => this.onopen());
    }
    send(text) {
      const frame = JSON.parse(text);
      if (frame.t === "join") {
        setTimeout(() => this.say({ t: "joined", id: "v", ref: frame.ref, rev: 1, token: "t",
          html: v.innerHTML, status: "new", mounts: 0, submitted: 0, node: "", build: "",
          heartbeatMs: 1e9 }));
      }
    }
    say(frame) { this.onmessage({ data: JSON.stringify(frame) }); }
    close() {}
  };`;

/** Shows a text with the client, and with innerHTML on a copy; answers milliseconds of both. */
function timeBoth(page: Page, from: string, to: string): Promise<[number, number]> {
  return page.evaluate(({ before, after }) => {
    const { socket, copy } = globalThis as unknown as {
      socket: { say(frame: object): void };
      copy: HTMLElement;
    };
    const patch = (text: string) => socket.say({ t: "patch", id: "v", rev: 1, html: text });
    patch(before);
    copy.innerHTML = before;
    const start = performance.now();
    patch(after);
    const between = performance.now();
    copy.innerHTML = after;
    return [between - start, performance.now() - between] as [number, number];
  }, { before: from, after: to });
}

async function openPage(): Promise<{ readonly page: Page; close(): Promise<void> }> {
  const browser = await chromium.launch({
    executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu"],
  });
  const page = await browser.newPage();
  await page.addInitScript(socketInPage);
  await page.route("**/*", (route) => {
    const { pathname } = new URL(route.request().url());
    const script = pathname === "/client.js" ? clientScript : clientScript.more;
    const isPage = pathname === "/";
    return route.fulfill({
      contentType: isPage ? "text/html" : "text/javascript",
      body: isPage
        ? `<body><div id="v" data-live-view="v" data-live-token="t">${html("")}</div>` +
          '<div id="copy"></div><script type="module" src="/client.js" data-live-auto></script>'
        : script.text,
    });
  });
  await page.goto("http://bench.invalid/");
  await page.waitForSelector("#v[data-live-state=connected]", { state: "attached" });
  return { page, close: () => browser.close() };
}

async function timeMorphs(): Promise<void> {
  const { page, close } = await openPage();
  const base = html("");
  const changes: readonly (readonly [name: string, to: string])[] = [
    ["nothing", base],
    ["one attribute", html("x")],
    ["a row more at the front", html("", -1)],
    ["every row's text", html("", 0, "!")],
    ["every row another", html("", 5000)],
  ];
  const lines: string[][] = [];
  for (const [name, to] of changes) {
    const ours: number[] = [];
    const floor: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const [patch, replace] = await timeBoth(page, base, to);
      ours.push(patch);
      floor.push(replace);
    }
    lines.push([name, figure(median(ours)), figure(median(floor)), figure(Math.min(...ours))]);
  }
  const nodes = await page.evaluate("document.querySelectorAll('#v *').length");
  await close();
  console.log(`A page of ${nodes} elements, ${rounds} rounds, milliseconds:\n`);
  console.log(table(["what changes", "patch", "innerHTML", "best patch"], lines));
}

function bytes(frame: object): number {
  return new TextEncoder().encode(JSON.stringify(frame)).length;
}

/** What one more character costs: up, down as a splice, and down as the whole text. */
function weighKeystrokes(): void {
  const lines = [10, 100, rows].map((count) => {
    const render = (draft: string): string =>
      html(draft).split("</li>").slice(0, count).join("</li>");
    const [before, after] = [render("typed tex"), render("typed text")];
    const form = {
      id: "f",
      data: [["title", "typed text"]],
      touched: ["title"],
      target: ["title"],
    };
    const event = { t: "event", id: "live-list", ref: 41, name: "edit", type: "change", form };
    const reply = { t: "reply", id: "live-list", ref: 41, ok: true, rev: 42 };
    const splice = spliceBetween(before, after);
    const small = bytes({ ...reply, base: 41, splice });
    const whole = bytes({ ...reply, html: after });
    const saved = `${figure(whole / small)} x`;
    return [`${count} rows`, figure(bytes(event)), figure(small), figure(whole), saved];
  });
  console.log("\nBytes for one keystroke, before compression:\n");
  console.log(table(["page", "up", "down", "whole HTML", "saved"], lines));
}

await timeMorphs();
weighKeystrokes();
