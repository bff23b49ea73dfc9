import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import process from "node:process";
import { codeOf } from "./disk.ts";

/** A process that has, or had, a directory open. */
export interface Owner {
  /** Different for each time a directory is opened. */
  readonly nonce: string;
  readonly pid: number;
  readonly host: string;
  /** When the machine and the process started, where the system tells; else empty. */
  readonly started: string;
}

/** This process as an owner. */
export function thisProcess(nonce: string): Owner {
  const { pid } = process;
  return { nonce, pid, host: hostname(), started: startOf(pid) ?? "" };
}

/** Reads an owner that was written as JSON; `undefined` if it is none. */
export function parseOwner(text: string): Owner | undefined {
  try {
    const owner = JSON.parse(text) as Partial<Owner> | null;
    const complete = typeof owner?.nonce === "string" && typeof owner.pid === "number" &&
      typeof owner.host === "string" && typeof owner.started === "string";
    return complete ? owner as Owner : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Tells whether an owner may still be running. On the same host a process that has ended, or whose
 * number another process has got since, is not; of a process on another host nothing is known.
 */
export function mayBeAlive(owner: Owner): boolean {
  if (owner.host !== hostname()) return true;
  if (!exists(owner.pid)) return false;
  if (owner.started === "") return true;
  return startOf(owner.pid) === owner.started;
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // A process of another user exists although it cannot be signalled.
    return codeOf(error) !== "ESRCH";
  }
}

/** Boot and start time of a process on Linux; `undefined` elsewhere, and if it has ended. */
function startOf(pid: number): string | undefined {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name, in parentheses, may itself have spaces and parentheses. After it: state, field 3;
    // start time, field 22.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const ended = fields[0] === "Z" || fields[0] === "X";
    return ended ? undefined : `${boot} ${fields[19]}`;
  } catch {
    return undefined;
  }
}
