/**
 * Kills servers under load and counts what is left: everything that was acknowledged has to be there
 * once, everything else once or not at all, and nothing more.
 */
import { setTimeout as pause } from "node:timers/promises";
import { type Answer, Jar } from "./jar.ts";
import type { ServerProcess } from "./process.ts";

/** An application that keeps a list of ids for each browser. */
export interface App {
  /** Starts a server; each on the same storage. */
  start(): Promise<ServerProcess>;
  /** Sends an id to be added. */
  add(jar: Jar, url: string, id: string): Promise<Answer>;
  /** The status that acknowledges it. */
  readonly acknowledges: number;
  /** Reads the list. */
  read(jar: Jar, url: string): Promise<readonly string[]>;
  /** Empties the list. */
  clear(jar: Jar, url: string): Promise<Answer>;
}

/** How to kill. */
export interface KillPlan {
  readonly kills: number;
  /** Servers at a time, on one storage; they are killed in turn, and each browser uses all. */
  readonly servers: number;
  /** Requests each browser has under way at a time. */
  readonly workers: number;
  /** A number in [0, 1). */
  random(): number;
  /** Called after each kill. */
  progress?(tally: KillTally): void;
}

/** What was counted. */
export interface KillTally {
  kills: number;
  /** Kills while at least one answer was awaited from the killed server. */
  underLoad: number;
  acknowledged: number;
  /** Sent, but no answer came: it may have happened. */
  unanswered: number;
  /** Of these, how many had happened. */
  unansweredKept: number;
  /** Acknowledged, but not there. */
  lost: string[];
  /** There more than once. */
  doubled: string[];
  /** There, but never sent. */
  strange: string[];
  /** Answers that were neither an acknowledgement nor cut. */
  refused: string[];
}

/** What one browser has sent. */
interface Sent {
  readonly jar: Jar;
  readonly acknowledged: Set<string>;
  readonly unanswered: Set<string>;
}

/** Runs the plan. */
export async function killUnderLoad(app: App, plan: KillPlan): Promise<KillTally> {
  const tally: KillTally = {
    kills: 0,
    underLoad: 0,
    acknowledged: 0,
    unanswered: 0,
    unansweredKept: 0,
    lost: [],
    doubled: [],
    strange: [],
    refused: [],
  };
  const servers = await Promise.all(Array.from({ length: plan.servers }, () => app.start()));
  try {
    const jars = [new Jar(), new Jar()];
    for (const jar of jars) await app.add(jar, servers[0]?.url ?? "", "first");
    while (tally.kills < plan.kills) {
      await round(app, plan, servers, jars, tally);
      plan.progress?.(tally);
    }
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
  }
  return tally;
}

/** One kill: load, kill, start again, look. */
async function round(
  app: App,
  plan: KillPlan,
  servers: ServerProcess[],
  jars: readonly Jar[],
  tally: KillTally,
): Promise<void> {
  const url = servers[0]?.url ?? "";
  for (const jar of jars) await app.clear(jar, url);
  const load = new Load(app, plan, servers, jars, tally);
  const place = tally.kills % servers.length;
  const victim = servers[place];
  if (victim === undefined) throw new RangeError("Cannot kill: there is no server");
  const working = load.run();
  await load.reached(1 + Math.floor(plan.random() * 40));
  // Somewhere within a request rather than right after an answer.
  if (plan.random() < 0.8) await pause(plan.random() * 4);
  if (load.awaited(place) > 0) tally.underLoad++;
  victim.kill("SIGKILL");
  await victim.exited;
  load.stop();
  await working;
  tally.kills++;
  servers[place] = await app.start();
  for (const sent of load.sent) {
    for (const server of servers) count(await app.read(sent.jar, server.url), sent, tally, server);
    tally.acknowledged += sent.acknowledged.size;
    tally.unanswered += sent.unanswered.size;
  }
}

function count(found: readonly string[], sent: Sent, tally: KillTally, at: ServerProcess): void {
  const times = new Map<string, number>();
  for (const id of found) times.set(id, (times.get(id) ?? 0) + 1);
  const place = (id: string) => `${id} at ${at.url}`;
  for (const id of sent.acknowledged) if (!times.has(id)) tally.lost.push(place(id));
  for (const [id, n] of times) {
    if (n > 1) tally.doubled.push(place(id));
    if (sent.unanswered.has(id)) tally.unansweredKept++;
    else if (!sent.acknowledged.has(id)) tally.strange.push(place(id));
  }
}

let nextId = 0;

/** Browsers that add without a break. */
class Load {
  readonly sent: readonly Sent[];
  readonly #app: App;
  readonly #plan: KillPlan;
  readonly #servers: readonly ServerProcess[];
  readonly #tally: KillTally;
  readonly #awaited: number[];
  #acknowledged = 0;
  #goal = Infinity;
  #atGoal: () => void = () => {};
  #stopped = false;

  constructor(
    app: App,
    plan: KillPlan,
    servers: readonly ServerProcess[],
    jars: readonly Jar[],
    tally: KillTally,
  ) {
    this.#app = app;
    this.#plan = plan;
    // The one that is started in the place of the victim is not part of this load.
    this.#servers = [...servers];
    this.#tally = tally;
    this.#awaited = servers.map(() => 0);
    this.sent = jars.map((jar) => ({ jar, acknowledged: new Set(), unanswered: new Set() }));
  }

  /** How many answers of a server are awaited. */
  awaited(place: number): number {
    return this.#awaited[place] ?? 0;
  }

  async run(): Promise<void> {
    const { workers } = this.#plan;
    const all = this.sent.flatMap((sent) =>
      Array.from({ length: workers }, (_, i) => this.#work(sent, i % this.#servers.length))
    );
    await Promise.all(all);
  }

  /** Resolves when so many have been acknowledged, or there is nobody left to send. */
  reached(goal: number): Promise<void> {
    return new Promise((resolve) => {
      this.#goal = goal;
      this.#atGoal = resolve;
      if (this.#acknowledged >= goal) resolve();
    });
  }

  stop(): void {
    this.#stopped = true;
  }

  async #work(sent: Sent, place: number): Promise<void> {
    const url = this.#servers[place]?.url ?? "";
    while (!this.#stopped) {
      const id = `item-${String(nextId++).padStart(6, "0")}`;
      this.#awaited[place] = this.awaited(place) + 1;
      const answer = await this.#app.add(sent.jar, url, id).catch(() => undefined);
      this.#awaited[place] = this.awaited(place) - 1;
      if (answer === undefined) {
        sent.unanswered.add(id);
        return;
      }
      if (answer.status === this.#app.acknowledges) this.#acknowledge(sent, id);
      else {
        sent.unanswered.add(id);
        this.#tally.refused.push(`${answer.status} ${answer.body.slice(0, 200)}`);
      }
    }
  }

  #acknowledge(sent: Sent, id: string): void {
    sent.acknowledged.add(id);
    if (++this.#acknowledged >= this.#goal) this.#atGoal();
  }
}
