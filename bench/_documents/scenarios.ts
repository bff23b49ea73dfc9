import { Client } from "./client.ts";
import type { ServerProcess } from "./process.ts";
import type { Protocol } from "./wires.ts";

/** How long things take and how many there are. */
export interface Sizes {
  readonly connections: number;
  readonly seconds: number;
  readonly joins: number;
  readonly missed: number;
  readonly documents: number;
}

/** What one run of a subject has come to; times in ms, memory in KiB. */
export interface Outcome {
  readonly fanOut: readonly number[];
  /** CPU time of the server per change, told to everybody, in µs. */
  readonly cpuUs: number;
  /** Changes of one writer, and of ten, that everybody has heard of, per second. */
  readonly one: number;
  readonly ten: number;
  readonly join: readonly number[];
  /** The longest delay of a neighbour, and until all have joined. */
  readonly stall: number;
  readonly storm: number;
  readonly catchUp: readonly number[];
  readonly catchUpKiB: number;
  readonly memoryKiB: number;
}

/** What has not been measured yet. */
export const nothing: Outcome = {
  fanOut: [],
  cpuUs: NaN,
  one: NaN,
  ten: NaN,
  join: [],
  stall: NaN,
  storm: NaN,
  catchUp: [],
  catchUpKiB: NaN,
  memoryKiB: NaN,
};

/** A subject to be measured. */
export interface Subject {
  readonly server: ServerProcess;
  readonly protocol: Protocol;
}

const pause = (ms: number) => new Promise<void>((done) => setTimeout(done, ms));

async function connect(
  { server, protocol }: Subject,
  document: string,
  count: number,
): Promise<Client[]> {
  const clients = Array.from(
    { length: count },
    () => new Client(server.port, document, protocol.wire()),
  );
  await Promise.all(clients.map(({ joined }) => joined));
  return clients;
}

const closeAll = (clients: readonly Client[]) => Promise.all(clients.map((each) => each.close()));

/** CPU time per second of a server that has nothing left to do, at most, in µs. */
const restUs = 10_000;

/** Has a server collect what a load has left, and waits until it has nothing more to do; 20 s at most. */
async function atRest({ server }: Subject): Promise<void> {
  await server.heap();
  for (let looks = 0; looks < 20; looks++) {
    const before = await server.cpuUs();
    await pause(1000);
    if (await server.cpuUs() - before < restUs) return;
  }
}

/**
 * 20 changes a second, told to all: how long until each has heard, and what that costs the server, which
 * has been used before and is at rest otherwise, as one that has run for a while.
 */
export async function fanOut(
  subject: Subject,
  sizes: Sizes,
): Promise<Pick<Outcome, "fanOut" | "cpuUs">> {
  const { connections, seconds } = sizes;
  const { server } = subject;
  await server.seed("fan", 10);
  const clients = await connect(subject, "fan", connections);
  const [writer, ...others] = clients as [Client, ...Client[]];
  const sent: number[] = [];
  const times: number[] = [];
  let heard = () => {};
  for (const other of others) {
    other.onMarker = (n) => {
      times.push(performance.now() - (sent[n] ?? 0));
      if (times.length === sent.length * others.length) heard();
    };
  }
  const write = (): Promise<void> => {
    sent.push(performance.now());
    writer.write(sent.length - 1);
    return new Promise((resolve) => heard = resolve);
  };
  // A compiler warms up with use.
  const warmUntil = performance.now() + 2000 * seconds;
  while (performance.now() < warmUntil) await write();
  await atRest(subject);
  const before = await server.cpuUs();
  const from = times.length;
  for (let n = 0; n < 20 * seconds; n++) await Promise.all([write(), pause(50)]);
  await pause(500);
  const cpuUs = (await server.cpuUs() - before) / (20 * seconds);
  expect(times.length, sent.length * others.length, "changes heard of");
  await closeAll(clients);
  return { fanOut: times.slice(from), cpuUs };
}

/** Writers that keep some changes on their way each: how many are told to everybody, per second. */
export async function throughput(
  subject: Subject,
  writers: number,
  { connections, seconds }: Sizes,
): Promise<number> {
  const document = `fast${writers}`;
  await subject.server.seed(document, 10);
  const clients = await connect(subject, document, connections);
  const watcher = clients.at(-1) as Client;
  const { pipelined } = subject.protocol;
  let told = 0;
  let running = true;
  /** Of each writer, its changes that nobody has heard of. */
  const open = clients.slice(0, writers).map((): number[] => []);
  const write = (by: number) => {
    // Its number tells whose it is.
    const n = next++ * writers + by;
    open[by]?.push(n);
    clients[by]?.write(n);
  };
  let next = 0;
  watcher.onMarker = (n) => {
    const by = n % writers;
    const waiting = open[by] ?? [];
    // Some tell only the last of several changes of one node: those before it are told by it.
    while (waiting.length > 0 && (waiting[0] ?? 0) <= n) {
      waiting.shift();
      told++;
      if (running) write(by);
    }
  };
  for (let n = 0; n < pipelined; n++) write(n % writers);
  await pause(1000 * seconds);
  told = 0;
  const began = performance.now();
  await pause(1000 * seconds);
  const perSecond = told / (performance.now() - began) * 1000;
  running = false;
  await pause(500);
  await closeAll(clients);
  return perSecond;
}

/** A document of a megabyte: one join after the other, and then 50 at once beside a busy neighbour. */
export async function joins(
  subject: Subject,
  { connections, joins }: Sizes,
): Promise<Pick<Outcome, "join" | "stall" | "storm">> {
  await subject.server.seed("large", 1000);
  const times: number[] = [];
  for (let round = -3; round < joins; round++) {
    const began = performance.now();
    const clients = await connect(subject, "large", 1);
    if (round >= 0) times.push(performance.now() - began);
    expect(Number((clients[0]?.received ?? 0) > 1_000_000), 1, "whole documents");
    await closeAll(clients);
  }
  await subject.server.seed("neighbour", 10);
  const [writer, reader] = await connect(subject, "neighbour", 2) as [Client, Client];
  const sent: number[] = [];
  let stall = 0;
  reader.onMarker = (n) => stall = Math.max(stall, performance.now() - (sent[n] ?? 0));
  const writing = setInterval(() => {
    sent.push(performance.now());
    writer.write(sent.length - 1);
  }, 10);
  await pause(500);
  stall = 0;
  const began = performance.now();
  const clients = await connect(subject, "large", connections);
  const storm = performance.now() - began;
  await pause(300);
  clearInterval(writing);
  await pause(500);
  await closeAll([...clients, writer, reader]);
  return { join: times, stall, storm };
}

/** How many come back, one after the other. */
const returns = 7;

/** Clients come back that have missed many changes. */
export async function catchUp(
  subject: Subject,
  { missed }: Sizes,
): Promise<Pick<Outcome, "catchUp" | "catchUpKiB">> {
  await subject.server.seed("behind", 100);
  const away = await connect(subject, "behind", returns);
  const [writer] = await connect(subject, "behind", 1) as [Client];
  let heard = 0;
  writer.write(0);
  await pause(200);
  await closeAll(away);
  const [watcher] = await connect(subject, "behind", 1) as [Client];
  let written = 0;
  await new Promise<void>((resolve) => {
    const write = () => {
      while (written < missed && written - heard < subject.protocol.pipelined) {
        writer.write(++written);
      }
      if (heard === missed) resolve();
    };
    watcher.onMarker = (n) => {
      heard = Math.max(heard, n);
      write();
    };
    write();
  });
  await pause(300);
  const times: number[] = [];
  let kib = 0;
  for (const { wire } of away) {
    const began = performance.now();
    const back = new Client(subject.server.port, "behind", wire.again());
    await new Promise<void>((resolve) => back.onMarker = (n) => n === missed && resolve());
    times.push(performance.now() - began);
    kib = back.received / 1024;
    await back.close();
  }
  await closeAll([writer, watcher]);
  return { catchUp: times, catchUpKiB: kib };
}

/** Documents of 10 KiB that are open, and nothing else: what each takes on the heap. */
export async function memory({ server }: Subject, { documents }: Sizes): Promise<number> {
  for (let n = 0; n < 20; n++) await server.seed(`warm${n}`, 10);
  const before = await server.heap();
  for (let n = 0; n < documents; n++) await server.seed(`open${n}`, 10);
  const after = await server.heap();
  return (after - before) / documents / 1024;
}

function expect(found: number, wanted: number, what: string): void {
  if (found !== wanted) throw new Error(`Cannot measure: ${found} ${what}, not ${wanted}`);
}
