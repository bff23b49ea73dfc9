import { link, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { StorageUnavailableError } from "../../src/core/errors.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { Random } from "../../src/ports/random.ts";
import { codeOf, readIfThere, writeNewFile } from "./disk.ts";
import { mayBeAlive, type Owner, parseOwner, thisProcess } from "./owner.ts";

/** How the lock of another process is waited for. */
export interface LockWait {
  readonly clock: Clock;
  readonly random: Random;
  /** Milliseconds until it is given up. */
  readonly lockTimeoutMs: number;
}

const POLL_MS = 20;

/**
 * Takes the lock of a directory, waiting for the process that has it. The lock of a process that
 * ended without giving it back is taken over.
 *
 * @param directory An existing directory.
 * @param nonce Text that no other lock has.
 * @param wait How long to wait.
 * @returns A function that gives the lock back.
 * @throws {StorageUnavailableError} If another process, or another storage of this one, has it.
 */
export async function lock(
  directory: string,
  nonce: string,
  wait: LockWait,
): Promise<() => Promise<void>> {
  const me = thisProcess(nonce);
  const deadline = wait.clock.monotonic() + wait.lockTimeoutMs;
  for (;;) {
    const holder = await claim(directory, me);
    if (holder === me) return () => release(directory, me);
    if (wait.clock.monotonic() >= deadline) throw refused(directory, holder);
    const waitMs = POLL_MS * (0.5 + wait.random.number());
    await new Promise<void>((resolve) => void wait.clock.timer(waitMs, resolve));
  }
}

/**
 * Tries once to become the owner. The file `lock` names the owner; the file `lock.after.N`, if there
 * is one, names the process that took over from the dead owner with nonce N, and so on: the last of
 * this chain has the lock. Each name is created at most once, so that of several processes that find
 * the same owner dead one alone takes over.
 *
 * @returns `me`, or the owner; `undefined` if that cannot be told.
 */
async function claim(directory: string, me: Owner): Promise<Owner | undefined> {
  const end = await follow(directory);
  if (end.unreadable || (end.owner !== undefined && mayBeAlive(end.owner))) return end.owner;
  const written = join(directory, `lock.new.${me.nonce}`);
  await writeNewFile(written, new TextEncoder().encode(JSON.stringify(me)));
  try {
    await link(written, end.next);
  } catch (error) {
    if (codeOf(error) === "EEXIST") return end.owner;
    throw error;
  } finally {
    await rm(written, { force: true });
  }
  return await settle(directory, end.next, me);
}

/** Makes the end of the chain its beginning, if it is still a part of it. */
async function settle(directory: string, path: string, me: Owner): Promise<Owner | undefined> {
  const first = join(directory, "lock");
  if (path === first) return me;
  const { owner } = await follow(directory);
  if (owner?.nonce === me.nonce) {
    await rename(path, first);
    return me;
  }
  // Since the look at the dead owner somebody took over from it and has moved to the beginning.
  await rm(path, { force: true });
  return owner;
}

async function release(directory: string, me: Owner): Promise<void> {
  // Somebody who deleted the file by hand may have let another process in.
  const { owner } = await follow(directory);
  if (owner?.nonce === me.nonce) await rm(join(directory, "lock"), { force: true });
}

interface ChainEnd {
  readonly owner: Owner | undefined;
  /** The file by whose creation one takes over. */
  readonly next: string;
  readonly unreadable: boolean;
}

async function follow(directory: string): Promise<ChainEnd> {
  let next = join(directory, "lock");
  let owner: Owner | undefined;
  for (;;) {
    const file = await readIfThere(next);
    if (file === undefined) return { owner, next, unreadable: false };
    owner = parseOwner(new TextDecoder().decode(file));
    if (owner === undefined) return { owner, next, unreadable: true };
    next = join(directory, `lock.after.${owner.nonce}`);
  }
}

function refused(directory: string, holder: Owner | undefined): StorageUnavailableError {
  const who = holder === undefined
    ? "another process"
    : `process ${holder.pid} on host "${holder.host}"`;
  const message = `Cannot open "${directory}": ${who} has it open; ` +
    'if you know that this is not so, delete the file "lock" in it';
  return new StorageUnavailableError(message, "none");
}
