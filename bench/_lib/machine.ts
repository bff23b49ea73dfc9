import { closeSync, fdatasyncSync, openSync, rmSync, statfsSync, writeSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import process from "node:process";
import { join } from "node:path";
import type { Runtime } from "./runtimes.ts";
import { figure, median } from "./stats.ts";

const fileSystems: Readonly<Record<number, string>> = {
  0xef53: "ext4",
  0x58465342: "xfs",
  0x9123683e: "btrfs",
  0x794c7630: "overlay",
  0x01021994: "tmpfs, which is no disk",
};

/** Where and when: nothing of it names the machine. */
export function machine(runtimes: readonly Runtime[]): string {
  const all = cpus();
  const gib = Math.round(totalmem() / 2 ** 30);
  const versions = runtimes.map(({ name, version }) => `${name} ${version}`)
    .join(", ");
  const today = new Date().toISOString().slice(0, 10);
  const cores = `${all.length} cores (${all[0]?.model.trim() ?? "unknown"}), ${gib} GiB`;
  return `${today}; ${cores}, ${process.platform} ${process.arch}; ${versions}`;
}

/** What one sync of the disk under a folder takes: the floor of every durable write. */
export function disk(folder: string): string {
  const path = join(folder, "sync.tmp");
  const block = new Uint8Array(4096);
  const file = openSync(path, "w");
  const times = Array.from({ length: 200 }, () => {
    const start = performance.now();
    writeSync(file, block);
    fdatasyncSync(file);
    return (performance.now() - start) * 1000;
  });
  closeSync(file);
  rmSync(path);
  const system = fileSystems[statfsSync(folder).type] ?? "another file system";
  return `${system}; 4 KiB written and synced in ${figure(median(times))} µs`;
}
