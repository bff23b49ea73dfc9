import { readFileSync } from "node:fs";
import process from "node:process";

/** What this process and those it has started have used. */
export interface Used {
  /** CPU time in µs. */
  readonly cpuUs: number;
  /** Resident memory in bytes. */
  readonly rss: number;
}

/** A tick of the kernel's accounts; 100 a second on every Linux in use. */
const TICK_US = 10_000;
const PAGE_BYTES = 4096;

/** Adds up this process and its descendants, from the kernel's accounts; elsewhere this one alone. */
export function tree(): Used {
  if (process.platform !== "linux") {
    const { user, system } = process.cpuUsage();
    return { cpuUs: user + system, rss: process.memoryUsage().rss };
  }
  let [cpuUs, rss] = [0, 0];
  const pids = [String(process.pid)];
  for (let pid = pids.pop(); pid !== undefined; pid = pids.pop()) {
    try {
      // The name, in brackets, may hold anything; what follows it is numbers.
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8").replace(/^.*\) /s, "").split(" ");
      cpuUs += (Number(stat[11]) + Number(stat[12])) * TICK_US;
      rss += Number(stat[21]) * PAGE_BYTES;
      const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
      pids.push(...children.split(" ").filter(Boolean));
    } catch {
      // It has ended since it was listed.
    }
  }
  return { cpuUs, rss };
}
