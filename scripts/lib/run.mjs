// Child processes that never outlive us.
import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";

const windows = process.platform === "win32";
const running = new Set();

/** Ends a child and everything in its process group. */
function stop(child) {
  try {
    if (windows) child.kill("SIGKILL");
    else process.kill(-child.pid, "SIGKILL");
  } catch {
    // It has ended already.
  }
}

/** The child that has our terminal. */
let shown;

for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143], ["SIGHUP", 129]]) {
  process.on(signal, () => {
    for (const child of running) stop(child);
    if (shown === undefined) process.exit(code);
    // It ends in its own time, and we with it. A Ctrl-C at a terminal has reached it already.
    if (signal !== "SIGINT" || !process.stdin.isTTY) shown.kill(signal);
  });
}

/** Names what still runs in a process group; zombies do not count, nobody may be there to reap them. */
function leftIn(group) {
  if (!existsSync("/proc/self/stat")) return [];
  const left = [];
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const [, name, rest] = /^\d+ \((.*)\) (.*)$/s.exec(readFileSync(`/proc/${pid}/stat`, "utf8"));
      const [state, , pgrp] = rest.split(" ");
      if (Number(pgrp) === group && state !== "Z") left.push(`${name} (${pid})`);
    } catch {
      // It ended while we looked.
    }
  }
  return left;
}

/**
 * Shows a command at work in our own terminal.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: object }} options
 * @returns {Promise<number>} The exit code.
 */
export function show(command, args, { cwd, env } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: "inherit" });
    shown = child;
    // npm tells its shell to end, which not every shell hands on: that it is gone says the same.
    const { ppid } = process;
    const orphaned = process.env["npm_lifecycle_event"] !== undefined && setInterval(() => {
      if (process.ppid === ppid) return;
      clearInterval(orphaned);
      child.kill("SIGTERM");
    }, 200);
    child.on("error", (error) => {
      clearInterval(orphaned);
      shown = undefined;
      console.error(`Cannot run "${command}": ${error.message}`);
      resolve(127);
    });
    child.on("exit", (code) => {
      clearInterval(orphaned);
      shown = undefined;
      resolve(code ?? 1);
    });
  });
}

/**
 * Runs a command in a process group of its own and keeps what it prints.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: object, timeoutMs?: number }} options
 * @returns {Promise<{ code: number, output: string, timedOut: boolean, left: string[] }>} `left`
 *   names the processes it had not stopped; they are stopped now.
 */
export function capture(command, args, { cwd, env, timeoutMs } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
      detached: !windows,
    });
    running.add(child);
    const result = { code: 1, output: "", timedOut: false, left: [] };
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => result.output += text);
    }
    const timer = timeoutMs && setTimeout(() => {
      result.timedOut = true;
      stop(child);
    }, timeoutMs);
    child.on("error", (error) => result.output += `${error.message}\n`);
    child.on("exit", (code) => {
      clearTimeout(timer);
      result.code = code ?? 1;
      result.left = leftIn(child.pid);
      // Also lets go of pipes a leftover holds open.
      stop(child);
    });
    child.on("close", () => {
      running.delete(child);
      resolve(result);
    });
  });
}
