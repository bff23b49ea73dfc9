/**
 * Given to every process of zero-cache with `--import`, for what it has no options for: it listens
 * on the loopback interface only, and ends when its standard input does, so that none of its
 * processes is left when the benchmark ends, in whatever way.
 */
import { Server } from "node:net";
import process from "node:process";
import { isMainThread } from "node:worker_threads";

const { listen } = Server.prototype;

Server.prototype.listen = function (this: Server, ...args: readonly unknown[]): Server {
  const [first, ...rest] = args;
  const local = typeof first === "object" && first !== null && "port" in first
    ? { ...first, host: "127.0.0.1" }
    : first;
  return Reflect.apply(listen, this, [local, ...rest]);
};

if (isMainThread) {
  process.stdin.once("end", () => process.exit(0)).resume();
  // It is what is listened for that keeps a process.
  (process.stdin as { unref?(): void }).unref?.();
}
